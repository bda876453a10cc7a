/**
 * Waiting in tests: never without a limit, and never without a word of what was waited for.
 *
 * @module
 */

/** Far longer than anything takes that comes at all, also on a machine with much else to do. */
const LIMIT_MS = 90_000;

/** Between two looks. */
const PAUSE_MS = 10;

/**
 * Looks again and again until there is something, and gives it.
 *
 * @param what is waited for, as in "the end of job 7"; a function is asked when the limit is over, and
 *   may say what came instead
 * @param look undefined, null or false where it is not there yet
 * @throws {Error} naming `what`, where it has not come within the limit
 */
export async function until<T>(
  what: string | (() => string),
  look: () => T | Promise<T>,
  limitMs = LIMIT_MS,
): Promise<Exclude<T, undefined | null | false>> {
  for (const end = performance.now() + limitMs; performance.now() < end;) {
    const found = await within(what, look(), Math.max(1, end - performance.now()));
    if (found !== undefined && found !== null && found !== false) {
      return found as Exclude<T, undefined | null | false>;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw tooLate(what, limitMs);
}

/**
 * What a promise resolves with.
 *
 * @param what as of {@link until}
 * @throws {Error} naming `what`, where the promise has not settled within the limit
 */
export async function within<T>(
  what: string | (() => string),
  promise: T | PromiseLike<T>,
  limitMs = LIMIT_MS,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(tooLate(what, limitMs)),
    limitMs,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function tooLate(what: string | (() => string), limitMs: number): Error {
  const said = typeof what === "string" ? what : what();
  return new Error(`Waited ${Math.ceil(limitMs) / 1000} s in vain for ${said}`);
}
