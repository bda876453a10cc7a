/**
 * Whether media_store is away. [note: outage] While it is, no job is begun and none is to blame: what
 * met the outage waits as if it had not been begun. Only a failure beside which media_store is well is
 * that of the one picture it was about. And of what media_store was sending each time that it went
 * away, the picture may be why, see `Attempts.interrupt`. Nothing asks while all is well; during an outage one call
 * after growing pauses finds out when it is over.
 *
 * @module
 */
import { type Backoff, pauseBefore } from "@fovea/process/backoff";
import type { Logger } from "@fovea/process/log";
import { callMediaStore, type MediaStore, refusalOf } from "./media_store.ts";

export interface MediaStoreOutageOptions {
  /** @throws {Error} saying why media_store can't do its work */
  probe: (signal: AbortSignal) => Promise<void>;
  /** Called when it is back: jobs can be begun. */
  onEnd: () => void;
  /** 0…1. */
  random: () => number;
  log: Logger;
}

/** Between two calls during an outage. */
const PROBE_PAUSE: Backoff = { firstMs: 500, factor: 2, maxMs: 10_000 };

/** For media_store to answer each call of a probe. */
const PROBE_TIMEOUT_MS = 5000;

export class MediaStoreOutage {
  readonly #options: MediaStoreOutageOptions;
  readonly #closed = new AbortController();
  #reason: string | null = null;
  #probing: Promise<boolean> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: MediaStoreOutageOptions) {
    this.#options = options;
  }

  /** Why media_store is away; null where nobody has found it so. */
  get reason(): string | null {
    return this.#reason;
  }

  /** After a call has failed: whether that is because media_store is away. */
  async isAway(): Promise<boolean> {
    if (this.#reason !== null || this.#closed.signal.aborted) return true;
    // Those that fail together ask together.
    this.#probing ??= this.#probe().finally(() => this.#probing = undefined);
    return !await this.#probing;
  }

  /** Asks no more; what fails from now on is not to blame. */
  close(): void {
    this.#closed.abort(new Error("service is ending"));
    clearTimeout(this.#timer);
  }

  /** @returns whether media_store can do its work */
  async #probe(): Promise<boolean> {
    try {
      await this.#options.probe(this.#closed.signal);
      return true;
    } catch (error) {
      if (!this.#closed.signal.aborted && this.#reason === null) {
        this.#reason = (error as Error).message;
        this.#options.log.warn({ reason: this.#reason }, "media_store is away: jobs wait for it");
        this.#probeAgain(1, performance.now());
      }
      return false;
    }
  }

  #probeAgain(tries: number, since: number): void {
    const { random, log, onEnd } = this.#options;
    this.#timer = setTimeout(async () => {
      const isBack = await this.#probe();
      if (this.#closed.signal.aborted) return;
      if (!isBack) return this.#probeAgain(tries + 1, since);
      this.#reason = null;
      const seconds = Math.round((performance.now() - since) / 1000);
      log.info({ seconds }, "media_store is back: jobs are begun again");
      onEnd();
    }, pauseBefore(PROBE_PAUSE, tries, random));
  }
}

/**
 * Asks media_store whether it can do its work, and whether it lets this service read.
 *
 * @throws {Error} saying why not
 */
export async function probeMediaStore(mediaStore: MediaStore, signal: AbortSignal): Promise<void> {
  for (const path of ["/health/ready", "/entity/?page_size=1"]) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
    const response = await callMediaStore(mediaStore, path, { signal: limit });
    const type = response.headers.get("Content-Type") ?? "";
    if (response.ok && type.startsWith("application/json")) {
      await response.body?.cancel();
      continue;
    }
    const { detail } = await refusalOf(response);
    throw new Error(
      `media_store answered ${response.status} to ${path}` +
        (detail !== undefined
          ? `: ${detail}`
          : response.ok
          ? " with something else than JSON: is MEDIA_STORE_URL that of media_store?"
          : ""),
    );
  }
}
