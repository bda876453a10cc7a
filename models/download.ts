/**
 * Downloads a file over HTTP. The file is known by its digest, whichever server has it. So a partial
 * file is resumed by a plain range request, without asking whether the server's file has changed.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import type { PartialFile } from "./partial_file.ts";
import { SourceRefused, unexpectedStatus } from "./source_refused.ts";
import { IdleTimeout } from "./idle_timeout.ts";

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

/** How often it is tried in all, where the connection breaks after something was received. */
const TRIES = 5;

/**
 * Appends to the partial file what is missing of it.
 *
 * A server that can't be reached is not tried again. A connection that breaks half-way is made anew a
 * few times.
 *
 * @throws {Error} saying why it failed; what was received stays in the partial file
 */
export async function download(
  partial: PartialFile,
  url: string,
  options: DownloadOptions = {},
): Promise<void> {
  const { pauseMs = 250, signal } = options;
  const before = partial.received;
  for (let tries = 1; partial.received < partial.expected.bytes; tries++) {
    try {
      await receive(partial, url, options);
    } catch (error) {
      signal?.throwIfAborted();
      const refused = error instanceof SourceRefused;
      if (refused || partial.received === before || tries === TRIES) throw error;
      await pause(pauseMs * 2 ** (tries - 1), undefined, { signal });
    }
  }
}

async function receive(partial: PartialFile, url: string, options: DownloadOptions): Promise<void> {
  const { fetch = globalThis.fetch, answerMs = 10_000, idleMs = 30_000 } = options;
  using idle = new IdleTimeout(options.signal);
  idle.reset(answerMs, "no answer");
  const headers = new Headers({ "Accept-Encoding": "identity" });
  if (partial.received > 0) headers.set("Range", `bytes=${partial.received}-`);
  const response = await fetch(url, { headers, signal: idle.signal });
  refuseUnfit(response, partial);
  if (response.status === 200) await partial.restart();

  idle.reset(idleMs, "nothing received");
  for await (const chunk of response.body ?? []) {
    await partial.append(chunk);
    idle.reset(idleMs, "nothing received");
  }
  if (partial.received < partial.expected.bytes) {
    throw new Error(
      `connection ended after ${partial.received} of ${partial.expected.bytes} bytes`,
    );
  }
}

/** @throws {SourceRefused} where the answer is neither the whole file nor what is missing of it */
function refuseUnfit({ status, headers }: Response, partial: PartialFile): void {
  const total = partial.expected.bytes;
  if (status !== 200 && status !== 206) throw unexpectedStatus(status);
  const range = headers.get("Content-Range");
  const missing = `bytes ${partial.received}-${total - 1}/${total}`;
  if (status === 206 && range !== missing) {
    throw new SourceRefused(`answered with "${range}", asked for "${missing}"`);
  }
  const length = headers.get("Content-Length");
  if (status === 200 && length !== null && Number(length) !== total) {
    throw new SourceRefused(`answered with ${length} bytes, expected ${total}`);
  }
}
