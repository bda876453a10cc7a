/**
 * Gets the first of several models that a source has, however long that takes: a hub that is away may
 * come back, a connection that breaks is made anew, and what was received stays.
 *
 * @module
 */
import { type Backoff, pauseBefore } from "@fovea/process/backoff";
import { setTimeout as pause } from "node:timers/promises";
import { fetchModel, type FetchOptions, ModelUnavailable } from "./fetch_model.ts";
import type { ModelEntry } from "./manifest.ts";

export interface FetchFirstOptions extends Omit<FetchOptions, "onProgress"> {
  /** Called with the bytes there are of a model. */
  onProgress?: (entry: ModelEntry, received: number) => void;
  /** Called with why a try failed, before the pause that follows, ms. */
  onFailure?: (entry: ModelEntry, why: string, pauseMs: number) => void;
  /** Between tries; it begins anew when bytes have come. */
  pauses?: Backoff;
  /** How long the next model waits while none, or no more, of this one's bytes come, ms. */
  fallback?: { unreachedMs: number; brokenMs: number };
}

/** How often in a row every source must refuse a model until it is given up. */
const REFUSALS = 3;

const PAUSES: Backoff = { firstMs: 1000, factor: 2, maxMs: 60_000 };

/** A hub that gave bytes before is likelier to come back than one that never answered. */
const FALLBACK = { unreachedMs: 10_000, brokenMs: 60_000 };

/** A model that is still wanted. */
interface Candidate {
  entry: ModelEntry;
  /** Since bytes came last. */
  failures: number;
  /** In a row. */
  refusals: number;
}

/**
 * Gets the first of the models that a source has, the best first. Where only one is left it is tried
 * until it comes; several are tried in turns.
 *
 * @throws {ModelUnavailable} when every source of every model has refused it again and again
 * @throws the signal's reason when it aborts
 */
export async function fetchFirst(
  entries: readonly ModelEntry[],
  options: FetchFirstOptions,
): Promise<{ entry: ModelEntry; path: string }> {
  const withoutRepeats = { ...options, onNotice: unrepeated(options.onNotice) };
  let candidates = entries.map((entry): Candidate => ({ entry, failures: 0, refusals: 0 }));
  const refusals: string[] = [];
  while (candidates.length > 0) {
    for (const candidate of candidates) {
      const last = candidates.every((other) => other === candidate || other.refusals === REFUSALS);
      try {
        const path = await keepTrying(candidate, last, withoutRepeats);
        if (path !== null) return { entry: candidate.entry, path };
      } catch (error) {
        if (!(error instanceof ModelUnavailable)) throw error;
        refusals.push(error.message);
      }
    }
    candidates = candidates.filter((candidate) => candidate.refusals < REFUSALS);
  }
  throw new ModelUnavailable(refusals.join("; "), true);
}

/** @returns null where it is another model's turn @throws {ModelUnavailable} where it was refused */
async function keepTrying(
  candidate: Candidate,
  isLast: boolean,
  options: FetchFirstOptions,
): Promise<string | null> {
  const { signal, pauses = PAUSES, fallback = FALLBACK, onProgress, onFailure } = options;
  const { entry } = candidate;
  let limitMs = isLast ? Infinity : fallback.unreachedMs;
  let since = performance.now();
  for (;;) {
    try {
      return await fetchModel(entry, {
        ...options,
        onProgress: (received) => {
          candidate.failures = 0;
          limitMs = isLast ? Infinity : fallback.brokenMs;
          since = performance.now();
          onProgress?.(entry, received);
        },
      });
    } catch (error) {
      if (!(error instanceof ModelUnavailable)) throw error;
      candidate.failures++;
      candidate.refusals = error.refused ? candidate.refusals + 1 : 0;
      if (candidate.refusals === REFUSALS) throw error;
      const pauseMs = pauseBefore(pauses, candidate.failures, Math.random);
      onFailure?.(entry, error.message, pauseMs);
      if (performance.now() - since >= limitMs) return null;
      await pause(pauseMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

/** Passes on each sentence once: tries that fail in the same way would fill the log. */
function unrepeated(say: FetchOptions["onNotice"]): FetchOptions["onNotice"] {
  const said = new Set<string>();
  return (sentence) => {
    if (said.has(sentence)) return;
    said.add(sentence);
    say?.(sentence);
  };
}
