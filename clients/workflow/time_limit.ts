import type { Problem } from "@fovea/contract";

/** What can stop the clock of a time limit. */
export interface PausableClock {
  readonly ready: boolean;
  /** @returns what ends the calls */
  onChange(listener: () => void): () => void;
}

/**
 * Runs `work`, whose signal is aborted with `problem()` once time is up.
 *
 * @param limitMs only the time counts in which `clock` is ready; without a clock all does
 */
export async function withTimeLimit<T>(
  limitMs: number,
  { problem, clock }: { problem: () => Problem; clock?: PausableClock },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  let leftMs = limitMs;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let startedAt = 0;
  const start = () => {
    startedAt = performance.now();
    timer = setTimeout(() => limit.abort(problem()), leftMs);
  };
  const stop = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    leftMs -= performance.now() - startedAt;
  };
  const follow = () => clock?.ready === false ? stop() : start();
  const unfollow = clock?.onChange(() => {
    stop();
    follow();
  });
  follow();
  try {
    return await work(limit.signal);
  } finally {
    unfollow?.();
    stop();
  }
}
