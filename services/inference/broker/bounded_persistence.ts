/**
 * What the built-in broker keeps for its clients, in memory and within bounds: no client can make it
 * grow without end by leaving.
 *
 * [note: a session ends whole] What would have to be dropped of a session can't be told to its
 * client. So the session is forgotten as a whole: MQTT tells the client when it returns, by "no
 * session present", and it asks for what it missed.
 *
 * @module
 */
import type { Aedes } from "aedes";
import memoryPersistence from "aedes-persistence/asyncPersistence.js";
import { Readable } from "node:stream";
import { OWN_TOPICS } from "./permissions.ts";

/** How much is kept; bytes count payloads and {@link PACKET_BYTES} for each message. */
export interface Bounds {
  /** Retained messages of others, all together. */
  retained: { messages: number; bytes: number };
  /** Messages that wait for one client that is away, or does not acknowledge. */
  session: { messages: number; bytes: number };
  /** All sessions together. */
  sessions: { count: number; bytes: number };
  /** Bytes of all wills, and of all messages whose QoS 2 handshake is not over. */
  held: number;
}

const MIB = 1024 * 1024;

export const BOUNDS: Bounds = {
  retained: { messages: 1000, bytes: 8 * MIB },
  session: { messages: 10_000, bytes: 8 * MIB },
  sessions: { count: 1000, bytes: 64 * MIB },
  held: 16 * MIB,
};

/** What a message is taken to need besides its payload: its topic, its copy and its place in a queue. */
const PACKET_BYTES = 500;

interface Packet {
  topic: string;
  payload: string | Uint8Array;
  brokerId?: string;
  brokerCounter?: number;
  messageId?: number;
  clientId?: string;
}

interface ClientId {
  id: string;
}

/** What Aedes' own keeping in memory offers and is extended here. */
declare class Persistence {
  setup(broker: Aedes): Promise<void>;
  storeRetained(packet: Packet): Promise<void>;
  addSubscriptions(client: ClientId, subscriptions: unknown[]): Promise<void>;
  cleanSubscriptions(client: ClientId): Promise<void>;
  outgoingEnqueue(to: { clientId: string }, packet: Packet): Promise<void>;
  outgoingEnqueueCombi(to: { clientId: string }[], packet: Packet): Promise<void>;
  outgoingUpdate(client: ClientId, packet: Packet): Promise<void>;
  outgoingClearMessageId(client: ClientId, packet: Packet): Promise<Packet | undefined>;
  outgoingStream(client: ClientId): Readable;
  incomingStorePacket(client: ClientId, packet: Packet): Promise<void>;
  incomingDelPacket(client: ClientId, packet: Packet): Promise<void>;
  cleanIncoming(client: ClientId): Promise<void>;
  putWill(client: ClientId, packet: Packet): Promise<void>;
  delWill(client: ClientId): Promise<Packet | undefined>;
}
const MemoryPersistence = memoryPersistence as unknown as typeof Persistence;

interface Session {
  queue: Packet[];
  bytes: number;
}

/** Told, for the log, what was not kept. */
export type OnDropped = (what: string, clientId: string | undefined) => void;

export class BoundedPersistence extends MemoryPersistence {
  readonly #bounds: Bounds;
  readonly #onDropped: OnDropped;
  /** By client id; the longest untouched first. */
  readonly #sessions = new Map<string, Session>();
  #sessionBytes = 0;
  /** Bytes of others' retained messages, by topic. */
  readonly #retained = new Map<string, number>();
  #retainedBytes = 0;
  /** Bytes held by wills and unfinished handshakes, by client and message. */
  readonly #held = new Map<string, number>();
  #heldBytes = 0;
  #aedes: Aedes | undefined;

  constructor(onDropped: OnDropped, bounds = BOUNDS) {
    super();
    this.#onDropped = onDropped;
    this.#bounds = bounds;
  }

  override async setup(broker: Aedes): Promise<void> {
    this.#aedes = broker;
    broker.on("clientDisconnect", ({ id }) => {
      if (this.#sessions.has(id)) this.#touch(id);
    });
    await super.setup(broker);
  }

  /** A message that finds no room is passed on, but not kept for those who subscribe later. */
  override async storeRetained(packet: Packet): Promise<void> {
    if (!packet.topic.startsWith(OWN_TOPICS)) {
      const { messages, bytes } = this.#bounds.retained;
      const before = this.#retained.get(packet.topic);
      const size = packet.payload.length === 0 ? 0 : sizeOf(packet);
      const total = this.#retainedBytes - (before ?? 0) + size;
      const count = this.#retained.size + (before === undefined ? 1 : 0);
      if (size > 0 && (total > bytes || count > messages)) {
        return this.#onDropped("retained message", packet.clientId);
      }
      this.#retainedBytes = total;
      if (size > 0) this.#retained.set(packet.topic, size);
      else this.#retained.delete(packet.topic);
    }
    await super.storeRetained(packet);
  }

  override async addSubscriptions(client: ClientId, subscriptions: unknown[]): Promise<void> {
    this.#touch(client.id);
    await super.addSubscriptions(client, subscriptions);
    while (this.#sessions.size > this.#bounds.sessions.count) await this.#forgetLongestAway();
  }

  override async cleanSubscriptions(client: ClientId): Promise<void> {
    this.#sessionBytes -= this.#sessions.get(client.id)?.bytes ?? 0;
    this.#sessions.delete(client.id);
    await super.cleanSubscriptions(client);
  }

  override async outgoingEnqueue(to: { clientId: string }, packet: Packet): Promise<void> {
    await this.outgoingEnqueueCombi([to], packet);
  }

  override async outgoingEnqueueCombi(to: { clientId: string }[], packet: Packet): Promise<void> {
    const { session: { messages, bytes }, sessions } = this.#bounds;
    const size = sizeOf(packet);
    for (const { clientId } of to) {
      const session = this.#sessions.get(clientId) ?? this.#touch(clientId);
      if (session.queue.length >= messages || session.bytes + size > bytes) {
        await this.#forget(clientId);
        continue;
      }
      // A copy: the message's own id differs from client to client.
      session.queue.push({ ...packet });
      session.bytes += size;
      this.#sessionBytes += size;
    }
    while (this.#sessionBytes > sessions.bytes) await this.#forgetLongestAway();
  }

  override outgoingUpdate(client: ClientId, packet: Packet): Promise<void> {
    const session = this.#sessions.get(client.id);
    const waiting = session?.queue.find((one) =>
      one.brokerId === packet.brokerId && one.brokerCounter === packet.brokerCounter
    );
    if (waiting !== undefined) {
      waiting.messageId = packet.messageId!;
      return Promise.resolve();
    }
    // PUBREL stands for a message that was received: it takes its place.
    const at = session?.queue.findIndex(({ messageId }) => messageId === packet.messageId) ?? -1;
    if (at === -1) return Promise.reject(new Error("no such packet"));
    const change = sizeOf(packet) - sizeOf(session!.queue[at]!);
    session!.queue[at] = packet;
    session!.bytes += change;
    this.#sessionBytes += change;
    return Promise.resolve();
  }

  override outgoingClearMessageId(
    client: ClientId,
    { messageId }: Packet,
  ): Promise<Packet | undefined> {
    const session = this.#sessions.get(client.id);
    const at = session?.queue.findIndex((one) => one.messageId === messageId) ?? -1;
    if (at === -1) return Promise.resolve(undefined);
    const [cleared] = session!.queue.splice(at, 1);
    session!.bytes -= sizeOf(cleared!);
    this.#sessionBytes -= sizeOf(cleared!);
    return Promise.resolve(cleared);
  }

  override outgoingStream(client: ClientId): Readable {
    return Readable.from([...this.#sessions.get(client.id)?.queue ?? []]);
  }

  override async incomingStorePacket(client: ClientId, packet: Packet): Promise<void> {
    this.#hold(`${packet.messageId} ${client.id}`, sizeOf(packet));
    await super.incomingStorePacket(client, packet);
  }

  override async incomingDelPacket(client: ClientId, packet: Packet): Promise<void> {
    this.#release(`${packet.messageId} ${client.id}`);
    await super.incomingDelPacket(client, packet);
  }

  override async cleanIncoming(client: ClientId): Promise<void> {
    for (const key of this.#held.keys()) {
      if (key.slice(key.indexOf(" ") + 1) === client.id && !key.startsWith("will ")) {
        this.#release(key);
      }
    }
    await super.cleanIncoming(client);
  }

  override async putWill(client: ClientId, packet: Packet): Promise<void> {
    this.#hold(`will ${client.id}`, sizeOf(packet));
    await super.putWill(client, packet);
  }

  override async delWill(client: ClientId): Promise<Packet | undefined> {
    this.#release(`will ${client.id}`);
    return await super.delWill(client);
  }

  /** @throws {Error} where too much is held already; Aedes then ends the connection */
  #hold(key: string, bytes: number): void {
    this.#release(key);
    if (this.#heldBytes + bytes > this.#bounds.held) {
      throw new Error("the broker holds too much for its clients");
    }
    this.#held.set(key, bytes);
    this.#heldBytes += bytes;
  }

  #release(key: string): void {
    this.#heldBytes -= this.#held.get(key) ?? 0;
    this.#held.delete(key);
  }

  /** A client's session, which thereby is the one that was touched last. */
  #touch(clientId: string): Session {
    const session = this.#sessions.get(clientId) ?? { queue: [], bytes: 0 };
    this.#sessions.delete(clientId);
    this.#sessions.set(clientId, session);
    return session;
  }

  async #forgetLongestAway(): Promise<void> {
    const { clients } = this.#aedes as unknown as { clients: Record<string, unknown> };
    const ids = [...this.#sessions.keys()];
    await this.#forget(ids.find((id) => clients[id] === undefined) ?? ids[0]!);
  }

  /** See [note: a session ends whole]. */
  async #forget(clientId: string): Promise<void> {
    await this.cleanSubscriptions({ id: clientId });
    this.#onDropped("session", clientId);
    const { clients } = this.#aedes as unknown as {
      clients: Record<string, { conn: { destroy(): void } } | undefined>;
    };
    clients[clientId]?.conn.destroy();
  }
}

function sizeOf({ payload }: Packet): number {
  return PACKET_BYTES + (payload?.length ?? 0);
}
