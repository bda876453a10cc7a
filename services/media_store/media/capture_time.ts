/**
 * When a picture was taken, as its EXIF block says it.
 *
 * @module
 */
import { readTiff } from "@fovea/pictures/tiff";

export interface CaptureTime {
  /** Milliseconds since the epoch; the wall clock read as UTC where EXIF names no zone. */
  create_date: number | null;
  /** Minutes east of UTC; null where EXIF names no zone. */
  create_offset_minutes: number | null;
}

/** Tags of TIFF 6.0 and EXIF 2.32 (4.6.5 D and F), each time with that of its zone. */
const TAG = {
  changed: [0x0132, 0x9010],
  exif: 0x8769,
  original: [0x9003, 0x9011],
  digitized: [0x9004, 0x9012],
} as const;

/** Clocks on Earth are at most so far from UTC. */
const MAX_OFFSET_MINUTES = 14 * 60;

/**
 * The best time that there is: when it was taken, digitized, or last changed. A time that does not
 * exist counts as missing.
 *
 * @param block of EXIF, as a TIFF; an empty one, or none, has no times
 */
export function readCaptureTime(block: Uint8Array): CaptureTime {
  const [main] = readTiff(block);
  const exif = main?.children(TAG.exif)[0];
  const text = (tag: number) => exif?.text(tag) || main?.text(tag) || "";
  for (const [time, zone] of [TAG.original, TAG.digitized, TAG.changed]) {
    const wallClock = wallClockOf(text(time));
    if (wallClock === null) continue;
    const offset = offsetOf(text(zone));
    return { create_date: wallClock - (offset ?? 0) * 60_000, create_offset_minutes: offset };
  }
  return { create_date: null, create_offset_minutes: null };
}

/** @param text `YYYY:MM:DD HH:MM:SS`; some write other signs between the parts of the date */
function wallClockOf(text: string): number | null {
  const parts = /^\s*(\d{4})[:/.-](\d\d)[:/.-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?/.exec(text);
  if (parts === null) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1)
    .map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const time = new Date(0);
  // Not Date.UTC: to that, year 65 is 1965.
  time.setUTCFullYear(year, month - 1, day);
  time.setUTCHours(hour, minute, second);
  // What doesn't exist comes out as another day or another time.
  const isReal = time.getUTCMonth() === month - 1 && time.getUTCDate() === day &&
    time.getUTCHours() === hour && time.getUTCMinutes() === minute &&
    time.getUTCSeconds() === second && year > 0;
  return isReal ? time.getTime() : null;
}

/** @param text `±HH:MM`; some leave out the colon, or write `Z` for UTC */
function offsetOf(text: string): number | null {
  if (/^\s*Z/.test(text)) return 0;
  const parts = /^\s*([+-])(\d\d):?([0-5]\d)/.exec(text);
  if (parts === null) return null;
  const minutes = Number(parts[2]) * 60 + Number(parts[3]);
  if (minutes > MAX_OFFSET_MINUTES) return null;
  return parts[1] === "-" && minutes > 0 ? -minutes : minutes;
}
