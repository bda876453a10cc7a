/**
 * What the service needs of a broker, wherever that runs.
 *
 * @module
 */
import type { Message } from "./message_log.ts";

/**
 * Sends one message, QoS 1. Resolves when it has been acknowledged.
 *
 * @throws {Error} where the connection is not there, or was lost before that
 */
export type Publish = (message: Message) => Promise<void>;

/** The service's way to its broker, under whose status topic it is `online` while there is one. */
export interface Link {
  /** Why there is no connection; null where there is one. */
  readonly trouble: string | null;
  readonly publish: Publish;
  /** Says that the service has stopped on purpose, and ends. */
  close(): Promise<void>;
}

/** For the last message before the service ends. */
const LAST_MESSAGE_MS = 2000;

/** Waits until the last message has been acknowledged, but not for long: nothing depends on it. */
export async function withinMoment(published: Promise<void>): Promise<void> {
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, LAST_MESSAGE_MS);
  await Promise.race([published, timeout.promise]);
  clearTimeout(timer);
}
