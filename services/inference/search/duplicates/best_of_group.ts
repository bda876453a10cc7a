/**
 * Which picture of a group of copies is the one to keep.
 *
 * @module
 */
export interface Candidate {
  id: number;
  width: number;
  height: number;
  mimeType: string;
  /** Bytes. */
  fileSize: number;
  /** When it was taken, ms since the epoch. */
  createDate: number | null;
}

/** What cameras write before it is turned into something smaller; named so by media_store. */
const ORIGINALS = /^image\/(x-(adobe|canon|nikon|sony)-\w+|hei[cf])$/;

/**
 * The one with the most pixels; of these a raw file or HEIC before others; then the largest file; then
 * the earliest; then the lowest id.
 */
export function bestOfGroup<Of extends Candidate>(group: readonly [Of, ...Of[]]): Of {
  return group.toSorted((a, b) =>
    b.width * b.height - a.width * a.height ||
    Number(ORIGINALS.test(b.mimeType)) - Number(ORIGINALS.test(a.mimeType)) ||
    b.fileSize - a.fileSize ||
    earliest(a.createDate, b.createDate) ||
    a.id - b.id
  )[0]!;
}

/** Those without a date come last. */
function earliest(a: number | null, b: number | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  return b === null ? -1 : a - b;
}
