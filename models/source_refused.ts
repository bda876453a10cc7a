/**
 * A source was reached, and what it gave is not the file asked for: asking again gets the same,
 * unless somebody changes the source. Any other failure of a source may pass by itself.
 */
export class SourceRefused extends Error {}

/** Statuses of servers that may answer otherwise later; besides those from 500 on. */
const PASSING_STATUSES = [408, 425, 429];

/** What an answer without the file says of its source. */
export function unexpectedStatus(status: number): Error {
  const passes = status >= 500 || PASSING_STATUSES.includes(status);
  return new (passes ? Error : SourceRefused)(`answered ${status}`);
}
