/**
 * What a service and the process that fetches models for it say to each other: a request on stdin,
 * then messages on stdout, each a line of JSON.
 *
 * @module
 */

/** What is to be fetched. Not an argument: a mirror's address may hold a password. */
export interface FetchRequest {
  /** Names of models, best first. */
  models: string[];
  modelsDir: string;
  mirror?: string | undefined;
}

export type Message =
  | { kind: "notice"; sentence: string }
  | { kind: "progress"; model: string; received: number }
  | { kind: "failure"; model: string; why: string; pauseMs: number }
  /** The last one, where all went well. */
  | { kind: "fetched"; model: string; path: string }
  /** The last one, where no source has a model. */
  | { kind: "unavailable"; why: string };
