/**
 * A file over HTTP. What is asked for is known by its digest, whoever serves it: so a part is gone on
 * with by a plain range request, without asking whether the server's file is still the same.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Part } from "./part.ts";
import { SourceRefused, unexpectedStatus } from "./source_refused.ts";
import { Watchdog } from "./watchdog.ts";

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  fetch?: typeof fetch | undefined;
  /** How long the answer's head may take, ms. */
  answerMs?: number;
  /** How long nothing may arrive, ms. */
  idleMs?: number;
  /** How long to wait before the second try, ms; doubled before each further one. */
  pauseMs?: number;
}

/** Times it is tried in all, where the connection breaks after something was received. */
const TRIES = 5;

/**
 * Appends to the part what is missing of it.
 *
 * A server that can't be reached is given up at once; a connection that breaks half-way is made anew
 * a few times.
 *
 * @throws {Error} saying why it failed; what was received stays in the part
 */
export async function download(
  part: Part,
  url: string,
  options: DownloadOptions = {},
): Promise<void> {
  const { pauseMs = 250, signal } = options;
  const before = part.received;
  for (let tries = 1; part.received < part.expected.bytes; tries++) {
    try {
      await receive(part, url, options);
    } catch (error) {
      signal?.throwIfAborted();
      const refused = error instanceof SourceRefused;
      if (refused || part.received === before || tries === TRIES) throw error;
      await pause(pauseMs * 2 ** (tries - 1), undefined, { signal });
    }
  }
}

async function receive(part: Part, url: string, options: DownloadOptions): Promise<void> {
  const { fetch = globalThis.fetch, answerMs = 10_000, idleMs = 30_000 } = options;
  using watchdog = new Watchdog(options.signal);
  watchdog.feed(answerMs, "no answer");
  const headers = new Headers({ "Accept-Encoding": "identity" });
  if (part.received > 0) headers.set("Range", `bytes=${part.received}-`);
  const response = await fetch(url, { headers, signal: watchdog.signal });
  refuseUnfit(response, part);
  if (response.status === 200) await part.restart();

  watchdog.feed(idleMs, "nothing received");
  for await (const chunk of response.body ?? []) {
    await part.append(chunk);
    watchdog.feed(idleMs, "nothing received");
  }
  if (part.received < part.expected.bytes) {
    throw new Error(`connection ended after ${part.received} of ${part.expected.bytes} bytes`);
  }
}

/** @throws {SourceRefused} where the answer is neither the whole file nor what is missing of the part */
function refuseUnfit({ status, headers }: Response, part: Part): void {
  const total = part.expected.bytes;
  if (status !== 200 && status !== 206) throw unexpectedStatus(status);
  const range = headers.get("Content-Range");
  const missing = `bytes ${part.received}-${total - 1}/${total}`;
  if (status === 206 && range !== missing) {
    throw new SourceRefused(`answered with "${range}", asked for "${missing}"`);
  }
  const length = headers.get("Content-Length");
  if (status === 200 && length !== null && Number(length) !== total) {
    throw new SourceRefused(`answered with ${length} bytes, expected ${total}`);
  }
}
