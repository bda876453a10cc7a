/**
 * Jobs are not kept for ever: what ended long ago is removed.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import { type Administration, REMOVABLE } from "./administration.ts";

/** Between two looks, milliseconds. */
const EVERY = 60 * 60_000;

/**
 * Removes, now and every hour, the jobs that ended more than `days` days ago.
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
    administration.removeEnded(REMOVABLE, days).then((removed) => {
      if (Object.keys(removed).length > 0) log.info({ days, removed }, "removed old jobs");
    }, (error) => log.warn({ err: error }, "old jobs can't be removed: trying again in an hour"));
  void look();
  const timer = setInterval(look, EVERY);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
