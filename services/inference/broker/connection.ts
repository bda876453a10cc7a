/**
 * A client's connection as the stream that Aedes reads and writes, over TCP and over WebSocket alike.
 *
 * [note: never held up] Aedes waits for each subscriber before it goes on with a message. So a write
 * is taken at once, whether the client reads or not, and what it has not read is counted: who has too
 * much of it is sent away.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { Reader } from "./pace.ts";
import { PacketGate } from "./packet_gate.ts";

/** How much may wait for a client that does not read, bytes: then it is sent away. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;

/** What carries the bytes of one connection. */
export interface Transport {
  /** Bytes that the client has not taken yet. */
  readonly unread: number;
  /** Takes bytes on their way, in order. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Tells that more may come from the client. */
  resume(): void;
  /** Ends the connection once what was sent has gone out, or could not go out for a moment. */
  close(): void;
}

export class Connection extends Duplex implements Reader {
  readonly #transport: Transport;
  readonly #gate = new PacketGate();
  readonly #onRefused: (reason: string) => void;
  #sent = 0;

  /** @param onRefused told why a client is sent away before the broker has heard it */
  constructor(transport: Transport, onRefused: (reason: string) => void) {
    super();
    this.#transport = transport;
    this.#onRefused = onRefused;
  }

  get unread(): number {
    return this.#transport.unread;
  }

  get taken(): number {
    return this.#sent - this.#transport.unread;
  }

  /** Hands over what the client has sent. @returns whether more is wanted now */
  receive(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.destroyed) return false;
    const refusal = this.#gate.check(bytes);
    if (refusal === undefined) return this.push(bytes);
    if (refusal.answer !== undefined) this.#transport.send(refusal.answer);
    this.#onRefused(refusal.reason);
    this.destroy();
    return false;
  }

  /** All that has come: Aedes reads once each time, and newer runtimes give one piece a call. */
  override read(size?: number): Buffer | null {
    const pieces: Buffer[] = [];
    for (let piece = super.read(size); piece !== null; piece = super.read(size)) pieces.push(piece);
    return pieces.length <= 1 ? pieces[0] ?? null : Buffer.concat(pieces);
  }

  override _read(): void {
    this.#transport.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#send(chunk, done);
  }

  /** Aedes writes a packet in several pieces. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error) => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#transport.close();
    done(error);
  }

  #send(chunk: Buffer, done: (error?: Error) => void): void {
    if (this.#transport.unread > MAX_UNREAD_BYTES) return done(new Error("client does not read"));
    this.#sent += chunk.length;
    this.#transport.send(chunk as Uint8Array<ArrayBuffer>);
    done();
  }
}
