/**
 * The first look at what a client sends, before the broker parses it: MQTT's framing alone (MQTT
 * 3.1.1, 2.2), of which nothing is kept but a few bytes of the first packet.
 *
 * @module
 */

/** Bytes of the largest packet that a client may send. What it sends is held in memory as a whole. */
const MAX_PACKET_BYTES = 1024 * 1024;

/** Why a connection is to be ended, and what to tell the client first. */
export interface Refusal {
  reason: string;
  /** A packet for the client; undefined where MQTT has none for this. */
  answer?: Uint8Array<ArrayBuffer>;
}

const CONNECT = 1;
const CONTINUES = 0x80;

/** The bridges of some brokers set this bit of the protocol level. */
const BRIDGE = 0x80;

/** Protocol levels of MQTT 3.1 and 3.1.1. */
const LEVELS = [3, 4];

/** CONNACK of MQTT 3.1.1 (3.2.2.3): unacceptable protocol version. */
const CONNACK_3 = new Uint8Array([0x20, 2, 0, 1]);

/** CONNACK of MQTT 5 (3.2.2.2): unsupported protocol version, no properties. */
const CONNACK_5 = new Uint8Array([0x20, 3, 0, 0x84, 0]);

/** Follows the packets of one connection. */
export class PacketGate {
  /** Bytes of the packet's body that are still to come; undefined within a header. */
  #left: number | undefined;
  #length = 0;
  #lengthBytes = -1;
  /** The first packet's body up to its protocol level; undefined once that was found good. */
  #head: number[] | undefined = [];

  /** @returns what is wrong with what has come, where something is */
  check(chunk: Uint8Array): Refusal | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === undefined) {
        const refusal = this.#readHeader(chunk[at++]!);
        if (refusal !== undefined) return refusal;
      } else {
        const body = chunk.subarray(at, at + this.#left);
        const refusal = this.#readConnect(body);
        if (refusal !== undefined) return refusal;
        at += body.length;
        this.#left -= body.length;
      }
      if (this.#left === 0) this.#left = undefined;
    }
    return undefined;
  }

  #readHeader(byte: number): Refusal | undefined {
    if (this.#lengthBytes < 0) {
      if (this.#head !== undefined && byte >> 4 !== CONNECT) {
        return { reason: "what it sends is not MQTT" };
      }
      this.#lengthBytes = 0;
      this.#length = 0;
      return undefined;
    }
    this.#length += (byte & 0x7f) * 2 ** (7 * this.#lengthBytes++);
    if (this.#length > MAX_PACKET_BYTES || this.#lengthBytes > 4) {
      return { reason: `it sends a packet of more than ${MAX_PACKET_BYTES} bytes` };
    }
    if ((byte & CONTINUES) === 0) {
      this.#lengthBytes = -1;
      this.#left = this.#length;
    }
    return undefined;
  }

  /** CONNECT begins with the protocol's name, two bytes of length before it, and its level (3.1.2). */
  #readConnect(body: Uint8Array): Refusal | undefined {
    if (this.#head === undefined) return undefined;
    for (const byte of body) {
      this.#head.push(byte);
      const nameLength = this.#head.length < 2 ? 0 : this.#head[0]! * 256 + this.#head[1]!;
      if (nameLength > 6) return { reason: "what it sends is not MQTT" };
      if (this.#head.length < 2 + nameLength + 1) continue;
      const level = byte & ~BRIDGE;
      this.#head = undefined;
      if (LEVELS.includes(level)) return undefined;
      return {
        reason: `it speaks MQTT of protocol level ${level}: 3.1 and 3.1.1 are spoken here`,
        answer: level === 5 ? CONNACK_5 : CONNACK_3,
      };
    }
    return undefined;
  }
}
