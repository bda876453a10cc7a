/**
 * Who may do what on the built-in broker.
 *
 * @module
 */
import type { Access } from "@fovea/http/access";
import type { Aedes, Client } from "aedes";

/** Under these only the service publishes: nobody else can make up an event. */
export const OWN_TOPICS = "inference/";
const BROKER_TOPICS = "$SYS/";

/**
 * Where a refused message goes: nobody is told of it. [note: refused and acknowledged] MQTT 3.1.1
 * (3.3.5) leaves two ways to refuse a message, to acknowledge it and do nothing, or to cut the client
 * off; that client would come back and send it again.
 */
const REFUSED_TOPIC = "$refused";

/** What the bearer of a token may do. */
export interface Grant {
  /** Publishing, under topics of others. */
  publish: boolean;
  /** When the grant ends, ms since the epoch. */
  until?: number | undefined;
}

/** @throws {Error} saying why who has this token, or none, may not even read */
export type Authorize = (token: string | undefined) => Promise<Grant>;

/** For AUTH_MODE=test. */
export const everybody: Authorize = () => Promise.resolve({ publish: true });

/**
 * For AUTH_MODE=jwt: hearing events needs what reading over HTTP needs, and publishing needs a token,
 * whatever its claims.
 */
export function byToken(access: Access): Authorize {
  return async (token) => {
    const claims = await access.check(token === undefined ? "read" : "token", token);
    return { publish: claims !== null, until: claims === null ? undefined : claims.exp * 1000 };
  };
}

/** The longest time that a timer can wait, milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** CONNACK of MQTT 3.1.1: not authorized. */
const NOT_AUTHORIZED = 5;

/**
 * Has a broker ask `authorize` about each client, with its password for the token, and refuse what
 * the client may not publish.
 *
 * @param onRefused told why, with the client's id
 */
export function guard(
  broker: Aedes,
  authorize: Authorize,
  onRefused: (reason: string, clientId: string) => void,
): void {
  const grants = new WeakMap<Client, Grant>();
  const reported = new WeakSet<Client>();

  broker.authenticate = (client, _username, password, done) => {
    authorize(password?.toString()).then(
      (grant) => {
        grants.set(client, grant);
        if (grant.until !== undefined) endAt(grant.until, client);
        done(null, true);
      },
      (error: Error) => {
        onRefused(error.message, client.id);
        done(Object.assign(new Error(error.message), { returnCode: NOT_AUTHORIZED }), false);
      },
    );
  };

  broker.authorizePublish = (client, packet, done) => {
    const reserved = packet.topic.startsWith(OWN_TOPICS) || packet.topic.startsWith(BROKER_TOPICS);
    if (client !== null && (reserved || grants.get(client)?.publish !== true)) {
      if (!reported.has(client)) onRefused(`it may not publish under ${packet.topic}`, client.id);
      reported.add(client);
      packet.topic = REFUSED_TOPIC;
      packet.payload = "";
      packet.retain = false;
    }
    done(null);
  };

  broker.authorizeForward = (_client, packet) => packet.topic === REFUSED_TOPIC ? null : packet;
}

/** A connection lasts no longer than the token with which it was made. */
function endAt(until: number, client: Client): void {
  const left = until - Date.now();
  const timer = setTimeout(
    () => left > MAX_TIMER_MS ? endAt(until, client) : client.close(),
    Math.min(Math.max(0, left), MAX_TIMER_MS),
  );
  client.conn.once("close", () => clearTimeout(timer));
}
