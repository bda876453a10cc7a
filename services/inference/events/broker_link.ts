/**
 * The connection to a broker of the user's, renewed for as long as the service runs.
 *
 * Each connection is a client of its own, which keeps nothing for the next one: what was not
 * acknowledged is sent again by the outbox, in order.
 *
 * @module
 */
import { systemWords } from "@fovea/process/file_error";
import type { Logger } from "@fovea/process/log";
import { publicAddress } from "@fovea/process/public_address";
import { SettingsError } from "@fovea/process/settings";
import { connectionFailure, type ServiceStatus, TOPICS } from "@fovea/contract";
import { connect, type MqttClient } from "mqtt";
import { type Link, type Publish, withinMoment } from "./link.ts";

/** Paths of PEM files for `mqtts://`. They are read anew for each connection: certificates run out. */
export interface TlsFiles {
  /** Who signed the broker's certificate, where that is none of the authorities known to all. */
  ca?: string | undefined;
  /** This service's own certificate and key, where the broker wants them. */
  cert?: string | undefined;
  key?: string | undefined;
}

export interface BrokerLinkOptions {
  url: string;
  tls?: TlsFiles;
  /** The same at every start, so that the broker can tell whether it still knows this service. */
  clientId: string;
  /** Called on each connection, with whether the broker still knows this service. */
  onConnect: (remembers: boolean) => void;
  log: Logger;
  /** Without an acknowledgement of what was sent for so long, the connection is renewed. */
  acknowledgeTimeoutMs?: number;
}

/** Between the end of a connection and the next try. */
const RECONNECT_MS = 1000;

/** For a connection to come about. */
const CONNECT_TIMEOUT_MS = 10_000;

const ACKNOWLEDGE_TIMEOUT_MS = 20_000;

/** MQTT 3.1.1, 3.2.2.3: return codes of a broker that does not want this user. */
const REFUSED_USER = [4, 5];

export class BrokerLink implements Link {
  readonly #options: BrokerLinkOptions;
  /** The broker's, as logs show it. */
  readonly #address: string;
  #pem: Partial<Record<keyof TlsFiles, string>>;
  #client: MqttClient;
  #connected = false;
  #trouble: string | null = "connecting";
  #logged = "";
  #closed = false;
  /** What fails those messages that wait for their acknowledgement. */
  readonly #underWay = new Set<(reason: Error) => void>();
  /** When something was last acknowledged, or sent while nothing was under way, by performance.now(). */
  #progressAt = 0;
  #progressTimer: ReturnType<typeof setTimeout> | undefined;
  #reconnectTimer: ReturnType<typeof setTimeout> | undefined;

  /** @throws {SettingsError} where a file of `tls` can't be read */
  constructor(options: BrokerLinkOptions) {
    this.#options = options;
    this.#address = publicAddress(options.url);
    this.#pem = readFiles(options.tls ?? {});
    this.#client = this.#connect();
  }

  get trouble(): string | null {
    return this.#trouble;
  }

  readonly publish: Publish = ({ topic, payload, retain }) =>
    new Promise((resolve, reject) => {
      const client = this.#client;
      if (!this.#connected) return reject(new Error("not connected to the broker"));
      if (this.#underWay.size === 0) this.#progressAt = performance.now();
      this.#underWay.add(reject);
      this.#progressTimer ??= this.#expectProgress();
      client.publish(topic, payload, { qos: 1, retain }, (error) => {
        this.#underWay.delete(reject);
        this.#progressAt = performance.now();
        if (error == null) return resolve();
        reject(error);
        // What could not be sent waits for the next connection.
        this.#end(connectionFailure(error), client);
      });
    });

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#reconnectTimer);
    if (this.#connected) await withinMoment(this.#publishStatus("stopped"));
    this.#drop("service is ending");
    await this.#client.endAsync(true);
  }

  #connect(): MqttClient {
    const { url, tls = {}, clientId, onConnect, log } = this.#options;
    try {
      this.#pem = readFiles(tls);
    } catch {
      // They are just being replaced: the last ones may still do.
    }
    const client = connect(url, {
      ...this.#pem,
      clientId,
      clean: false,
      reconnectPeriod: 0,
      will: { topic: TOPICS.status, payload: "offline", qos: 1, retain: true },
    });
    const connectTimer = setTimeout(
      () => this.#end("no answer in time", client),
      CONNECT_TIMEOUT_MS,
    );
    client.on("connect", ({ sessionPresent }) => {
      clearTimeout(connectTimer);
      log.info({ broker: this.#address }, "connected to the broker");
      this.#connected = true;
      this.#trouble = null;
      this.#logged = "";
      this.#publishStatus("online");
      onConnect(sessionPresent);
    });
    client.on("error", (error) => this.#end(reasonOf(error, url), client));
    // MQTT.js does not report a TLS handshake that failed.
    client.stream.on("error", (error) => this.#end(reasonOf(error, url), client));
    client.on("close", () => {
      clearTimeout(connectTimer);
      this.#end("it closed the connection", client);
    });
    return client;
  }

  /** Ends a connection, unless it has ended already, and has another one made. */
  #end(reason: string, client: MqttClient): void {
    if (this.#closed || client !== this.#client || this.#reconnectTimer !== undefined) return;
    this.#trouble = reason;
    // Once per reason: the same one comes back with every try.
    if (reason !== this.#logged) {
      const { log } = this.#options;
      log.warn(
        { broker: this.#address, reason },
        "no broker: events are kept until it is there",
      );
      this.#logged = reason;
    }
    this.#reconnectTimer = setTimeout(() => {
      this.#reconnectTimer = undefined;
      this.#client = this.#connect();
    }, RECONNECT_MS);
    this.#drop(reason);
    client.end(true);
  }

  #drop(reason: string): void {
    this.#connected = false;
    clearTimeout(this.#progressTimer);
    this.#progressTimer = undefined;
    for (const fail of this.#underWay) fail(new Error(reason));
    this.#underWay.clear();
  }

  /** A broker may take everything, acknowledge nothing, and look alive. */
  #expectProgress(waitMs = this.#acknowledgeTimeoutMs): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.#progressTimer = undefined;
      if (this.#underWay.size === 0) return;
      const leftMs = this.#progressAt + this.#acknowledgeTimeoutMs - performance.now();
      if (leftMs > 0) this.#progressTimer = this.#expectProgress(leftMs);
      else {this.#end(
          `it acknowledged nothing for ${this.#acknowledgeTimeoutMs / 1000} s`,
          this.#client,
        );}
    }, waitMs);
  }

  get #acknowledgeTimeoutMs(): number {
    return this.#options.acknowledgeTimeoutMs ?? ACKNOWLEDGE_TIMEOUT_MS;
  }

  /** Nothing is lost with it: the next connection says it anew, or the broker says "offline". */
  async #publishStatus(status: ServiceStatus): Promise<void> {
    await this.#client.publishAsync(TOPICS.status, status, { qos: 1, retain: true })
      .catch(() => {});
  }
}

function readFiles(tls: TlsFiles): Partial<Record<keyof TlsFiles, string>> {
  const paths = Object.entries(tls).filter((entry) => entry[1] !== undefined);
  return Object.fromEntries(paths.map(([name, path]) => {
    try {
      return [name, Deno.readTextFileSync(path!)];
    } catch (error) {
      const reason = systemWords(error);
      const setting = `MQTT_${name.toUpperCase()}_FILE`;
      throw new SettingsError(
        `Cannot start: ${setting} is ${path}, which can't be read: ${reason}`,
      );
    }
  }));
}

function reasonOf(error: Error, url: string): string {
  const { code } = error as { code?: unknown };
  // Deno 2.7 says "socket hang up" where it does not accept the certificate of a WebSocket.
  const refused = url.startsWith("wss:") ? /certificate|socket hang up/i : /certificate/i;
  if (refused.test(error.message)) {
    return "its certificate is not trusted here: MQTT_CA_FILE names a file with who signed it";
  }
  return REFUSED_USER.includes(code as number)
    ? `it refused the user and password of MQTT_URL (${error.message.replace(/^.*: /, "")})`
    : connectionFailure(error);
}
