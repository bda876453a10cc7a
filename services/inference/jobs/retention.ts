/**
 * Jobs are not kept for ever: what ended long ago, in running time, is removed. See
 * [note: running time].
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import type { Administration } from "./administration.ts";

/** Between two looks. */
const INTERVAL_MS = 60 * 60_000;

/**
 * Removes, now and every hour, the jobs since whose end the service has run for `days` days.
 *
 * @param days 0: none ever
 * @returns ends it when disposed of
 */
export function keepJobsFor(
  days: number,
  administration: Administration,
  log: Logger,
): Disposable {
  if (days === 0) return { [Symbol.dispose]: () => {} };
  const look = () =>
    administration.removeExpired(days).then((removed) => {
      if (Object.keys(removed).length > 0) log.info({ days, removed }, "removed old jobs");
    }, (error) => log.warn({ err: error }, "old jobs can't be removed: trying again in an hour"));
  void look();
  const timer = setInterval(look, INTERVAL_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
