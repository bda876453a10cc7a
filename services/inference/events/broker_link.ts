/**
 * The connection to the broker, embedded or not, kept up for as long as the service runs.
 *
 * @module
 */
import type { Logger } from "@fovea/common/log";
import { type ServiceStatus, TOPICS } from "@fovea/contract";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import type { Publish } from "./outbox.ts";

export interface BrokerLinkOptions {
  url: string;
  /** The same at every start, so that the broker can tell whether it still knows this service. */
  clientId: string;
  /** Told on a connection to a broker that has no memory of this service: it has lost what it retained. */
  onForgotten: () => void;
  log: Logger;
}

/** Milliseconds between two tries to connect. */
const RECONNECT_PERIOD = 1000;

export class BrokerLink {
  readonly #client: MqttClient;
  #lastError = "";

  constructor({ url, clientId, onForgotten, log }: BrokerLinkOptions) {
    const shown = withoutPassword(url);
    const options: IClientOptions = {
      clientId,
      clean: false,
      reconnectPeriod: RECONNECT_PERIOD,
      connectTimeout: 10_000,
      will: { ...status("offline"), qos: 1, retain: true },
    };
    this.#client = connect(url, options);
    this.#client.on("connect", ({ sessionPresent }) => {
      log.info({ broker: shown }, "connected to the broker");
      this.#lastError = "";
      this.#client.publish(...statusMessage("online"));
      if (!sessionPresent) onForgotten();
    });
    this.#client.on("close", () => {
      if (!this.#client.disconnecting && this.#lastError === "") {
        this.#lastError = "connection closed";
        log.warn({ broker: shown }, "broker is gone: events are kept until it is back");
      }
    });
    this.#client.on("error", (error) => {
      const reason = error.message || (error as { code?: string }).code || "unknown error";
      // Once per reason: the same one comes back every second.
      if (reason === this.#lastError) return;
      this.#lastError = reason;
      log.warn({ broker: shown, reason }, "broker can't be reached: events are kept until it can");
    });
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  readonly publish: Publish = async ({ topic, payload, retain }) => {
    await this.#client.publishAsync(topic, payload, { qos: 1, retain });
  };

  /** Says that the service has stopped on purpose, and disconnects. */
  async close(): Promise<void> {
    if (this.#client.connected) await this.#client.publishAsync(...statusMessage("stopped"));
    await this.#client.endAsync(true);
  }
}

function status(payload: ServiceStatus): { topic: string; payload: string } {
  return { topic: TOPICS.status, payload };
}

function statusMessage(payload: ServiceStatus): [string, string, { qos: 1; retain: true }] {
  return [TOPICS.status, payload, { qos: 1, retain: true }];
}

/** A broker's URL as it may be shown and logged. */
export function withoutPassword(url: string): string {
  const parsed = new URL(url);
  parsed.username = "";
  parsed.password = "";
  return parsed.href.replace(/\/$/, "");
}
