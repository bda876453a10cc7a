import { craftTiff } from "@fovea/pictures/testing/crafted_tiff";
import assert from "node:assert/strict";
import { readCaptureTime } from "./capture_time.ts";

const noon = Date.UTC(2026, 1, 3, 12, 0, 0);
const MINUTE_MS = 60_000;

/** An EXIF block: texts of the main directory, and of EXIF's own. */
function block(main: Record<number, string>, own: Record<number, string> = {}): Uint8Array {
  const texts = (tags: Record<number, string>) =>
    Object.fromEntries(Object.entries(tags).map(([tag, text]) => [tag, { text }]));
  return craftTiff({ ...texts(main), 0x8769: { directories: [texts(own)] } });
}

/** What comes of one time and one offset. */
function taken(time: string, offset?: string): [date: number | null, offset: number | null] {
  const zone = offset === undefined ? {} : { 0x9011: offset };
  const { create_date, create_offset_minutes } = readCaptureTime(
    block({}, { 0x9003: time, ...zone }),
  );
  return [create_date, create_offset_minutes];
}

Deno.test("a time with a zone is told from one without", () => {
  const time = "2026:02:03 12:00:00";
  assert.deepEqual(taken(time), [noon, null]);
  assert.deepEqual(taken(time, "+00:00"), [noon, 0]);
  assert.deepEqual(taken(time, "-00:00"), [noon, 0]);
  assert.deepEqual(taken(time, "Z"), [noon, 0]);
  assert.deepEqual(taken(time, "+05:30"), [noon - 330 * MINUTE_MS, 330]);
  assert.deepEqual(taken(time, "-0330"), [noon + 210 * MINUTE_MS, -210]);
  for (const none of ["", "   :  ", "+99:00", "+05:75", "CET"]) {
    assert.deepEqual(taken(time, none), [noon, null], none);
  }
});

Deno.test("a date or a time that doesn't exist is none", () => {
  for (
    const time of [
      ...["0000:00:00 00:00:00", "2026:00:10 12:00:00", "2026:13:01 12:00:00"],
      ...["2026:02:30 12:00:00", "2025:02:29 12:00:00", "2026:04:31 12:00:00"],
      ...["2026:02:03 24:00:00", "2026:02:03 12:60:00", "2026:02:03 12:00:61"],
      ...["    :  :     :  :  ", "", "yesterday"],
    ]
  ) assert.deepEqual(taken(time), [null, null], time);
  assert.equal(taken("2024:02:29 12:00:00")[0], Date.UTC(2024, 1, 29, 12));
});

Deno.test("the best time that there is counts, with its own zone", () => {
  const main = { 0x0132: "2026:02:03 12:00:00" };
  const own = { 0x9003: "2026:02:30 01:00:00", 0x9010: "+02:00", 0x9011: "+01:00" };
  assert.deepEqual(readCaptureTime(block(main, { ...own, 0x9004: "bad" })), {
    create_date: noon - 120 * MINUTE_MS,
    create_offset_minutes: 120,
  });
  const digitized = readCaptureTime(block(main, { ...own, 0x9004: "2026:02:03 12:00:00" }));
  assert.deepEqual(digitized, { create_date: noon, create_offset_minutes: null });
});

Deno.test("a block that is none, empty or cut off has no time", () => {
  const whole = block({}, { 0x9003: "2026:02:03 12:00:00" });
  const none = { create_date: null, create_offset_minutes: null };
  for (const bytes of [new Uint8Array(), new Uint8Array(40), whole.subarray(0, 12)]) {
    assert.deepEqual(readCaptureTime(bytes), none);
  }
});
