/**
 * A client of the broker that keeps what it hears, for tests.
 *
 * @module
 */
import { within } from "@fovea/testing";
import { connectAsync, type IClientOptions } from "mqtt";

export interface Heard {
  topic: string;
  payload: string;
  /** Whether the broker had kept it from before the subscription. */
  retained: boolean;
}

export interface Subscriber extends AsyncDisposable {
  heard: Heard[];
  /** Tells of each message from now on, which is then not kept. */
  onMessage(listener: (message: Heard) => void): void;
  /**
   * Waits until something is heard that passes, and gives it.
   *
   * @throws {Error} saying what was heard last, where nothing such comes within the limit
   */
  until(passes: (message: Heard) => boolean): Promise<Heard>;
}

/** Connects and subscribes, QoS 1. It comes back by itself when the broker was away. */
export async function subscribe(
  url: string,
  topic: string,
  options: IClientOptions = {},
): Promise<Subscriber> {
  const client = await connectAsync(url, { reconnectPeriod: 50, ...options });
  const heard: Heard[] = [];
  const waiting = new Set<() => void>();
  let listen = (message: Heard) => {
    heard.push(message);
    for (const look of waiting) look();
  };
  client.on("message", (topic, payload, { retain }) => {
    listen({ topic, payload: payload.toString(), retained: retain });
  });
  await client.subscribeAsync(topic, { qos: 1 });
  return {
    heard,
    onMessage: (listener) => void (listen = listener),
    until: async (passes) => {
      const found = Promise.withResolvers<Heard>();
      const look = () => {
        const message = heard.find(passes);
        if (message !== undefined) found.resolve(message);
      };
      waiting.add(look);
      look();
      try {
        const what = () =>
          `a message of ${topic} with ${passes}, beside ${JSON.stringify(heard.slice(-10))}`;
        return await within(what, found.promise);
      } finally {
        waiting.delete(look);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await client.endAsync(true);
    },
  };
}
