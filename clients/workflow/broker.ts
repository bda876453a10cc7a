/**
 * The MQTT side: one connection, on which events say that jobs have ended. It is made anew by itself
 * after the broker was away.
 *
 * @module
 */
import { Problem, TOPICS } from "@fovea/contract";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { orAborted } from "./abort.ts";
import { certificateHint } from "./service.ts";
import type { TokenSource } from "@fovea/process/named_file";
import { publicAddress } from "@fovea/process/public_address";

/** Limit of the first connection. The library's own `connectAsync` may never settle where it fails. */
const CONNECT_TIMEOUT_MS = 10_000;
const DISCONNECT_TIMEOUT_MS = 1_000;

const CONNECTION: IClientOptions = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  reconnectPeriod: 500,
  // Seconds until a broker that went away without a word is noticed, at most twice this.
  keepalive: 15,
  // Subscribing again is done here, where the SUBACK leads to one look at each job.
  resubscribe: false,
};

export interface BrokerOptions {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`, user and password allowed. */
  url: string;
  /** Its token is the password where the URL names no user: so inference's own broker, and no other, wants it. */
  token?: TokenSource | undefined;
  /** PEM of further issuers of certificates to be trusted. */
  ca?: string | undefined;
}

/** Inference's own broker takes any user name with a token. */
const TOKEN_USER = "fovea";

export class Broker implements AsyncDisposable {
  readonly #client: MqttClient;
  readonly #watches = new Set<Watch>();
  /** Called whenever the broker is back after it was away. */
  onReturn: () => void = () => {};

  private constructor(client: MqttClient) {
    this.#client = client;
    client.on("connect", () => {
      this.#watches.forEach((watch) => this.#subscribe(watch));
      this.onReturn();
    });
    client.on("message", (topic, payload) => {
      // An empty payload is a retained event being cleared.
      if (payload.length > 0) this.#watchesOf(topic).forEach((watch) => watch.wake());
    });
  }

  /** @throws {Problem} `broker_unreachable`; `usage` where the token can't be read */
  static async connect({ url, token, ca }: BrokerOptions): Promise<Broker> {
    const connected = Promise.withResolvers<void>();
    const ownToken = new URL(url).username === "" ? token : undefined;
    const login = ownToken === undefined ? {} : await loginOf(ownToken);
    const client = mqtt.connect(url, { ...CONNECTION, ...login, ...(ca !== undefined && { ca }) });
    if (ownToken !== undefined && "password" in login) renewPassword(client, ownToken);
    const timer = setTimeout(
      () => connected.reject(new Error("timed out")),
      CONNECT_TIMEOUT_MS,
    );
    client.on("connect", () => connected.resolve());
    // A connection that ends over TLS without a reason is one whose certificate was not accepted. Over
    // WebSocket, Deno 2.7 says "socket hang up" of it.
    const ended = new Error(/^(mqtts|wss):/.test(url) ? "certificate" : "connection closed");
    client.on("error", (error) => {
      connected.reject(/socket hang up/.test(error.message) ? ended : error);
    });
    client.on("close", () => connected.reject(ended));
    try {
      await connected.promise;
      return new Broker(client);
    } catch (error) {
      client.end(true);
      throw new Problem(
        "broker_unreachable",
        `the MQTT broker can't be reached at ${publicAddress(url)}: ${reasonAndRemedy(error)}`,
      );
    } finally {
      clearTimeout(timer);
    }
  }

  /** False while the broker is away. */
  get connected(): boolean {
    return this.#client.connected;
  }

  /**
   * Watches for the end of a job; resolves when the broker has confirmed the subscription.
   *
   * @throws the signal's reason, or a {@link Problem} where the broker refuses
   */
  async watch(jobId: string, signal: AbortSignal): Promise<Watch> {
    const watch = new Watch(TOPICS.jobEnded(jobId), () => this.#forget(watch));
    this.#watches.add(watch);
    if (this.connected) this.#subscribe(watch);
    try {
      await orAborted(watch.subscribed, signal);
      return watch;
    } catch (error) {
      watch[Symbol.dispose]();
      throw error;
    }
  }

  #subscribe(watch: Watch): void {
    this.#client.subscribe(watch.topic, { qos: 1 }, (error) => {
      if (!error) watch.confirm();
      // If the connection broke instead, the next one subscribes again.
      else if (this.connected) {
        watch.refuse(
          new Problem(
            "broker_unreachable",
            `the MQTT broker refuses the subscription to ${watch.topic}: ${error.message}`,
          ),
        );
      }
    });
  }

  #forget(watch: Watch): void {
    this.#watches.delete(watch);
    if (this.connected && this.#watchesOf(watch.topic).length === 0) {
      this.#client.unsubscribe(watch.topic);
    }
  }

  #watchesOf(topic: string): Watch[] {
    return [...this.#watches].filter((watch) => watch.topic === topic);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Promise.withResolvers<void>();
    const timer = setTimeout(closed.resolve, DISCONNECT_TIMEOUT_MS);
    this.#client.end(!this.connected, () => closed.resolve());
    await closed.promise;
    clearTimeout(timer);
  }
}

/** A subscription to one job's end. */
export class Watch implements Disposable {
  readonly topic: string;
  readonly #dispose: () => void;
  readonly #subscribed = Promise.withResolvers<void>();
  #confirmed = false;
  #woken = Promise.withResolvers<void>();

  constructor(topic: string, dispose: () => void) {
    this.topic = topic;
    this.#dispose = dispose;
  }

  /** Resolves on the first SUBACK. */
  get subscribed(): Promise<void> {
    return this.#subscribed.promise;
  }

  /** Called on a SUBACK: after the first one, an event may have passed while the broker was away. */
  confirm(): void {
    if (this.#confirmed) this.wake();
    this.#confirmed = true;
    this.#subscribed.resolve();
  }

  refuse(problem: Problem): void {
    this.#subscribed.reject(problem);
  }

  wake(): void {
    this.#woken.resolve();
  }

  /** Resolves when there is reason to look at the job: an event came, or may have been missed. */
  async next(signal: AbortSignal): Promise<void> {
    await orAborted(this.#woken.promise, signal);
    this.#woken = Promise.withResolvers();
  }

  [Symbol.dispose](): void {
    this.#dispose();
  }
}

function reasonAndRemedy(error: unknown): string {
  const reason = certificateHint(error);
  return reason.startsWith("it refuses the user")
    ? `${reason}: give them with --mqtt mqtt://user:password@host:port`
    : `${reason}: is it running? give another address with --mqtt mqtt://host:port`;
}

async function loginOf(token: TokenSource): Promise<IClientOptions> {
  const password = await token();
  return password === undefined ? {} : { username: TOKEN_USER, password };
}

/** A token may have been renewed by the time the connection is. */
function renewPassword(client: MqttClient, token: TokenSource): void {
  client.on("close", async () => {
    // A token that can't be read now is read at the next try.
    Object.assign(client.options, await loginOf(token).catch(() => ({})));
  });
}
