import assert from "node:assert/strict";
import { takenAt } from "./taken.ts";

const noon = Date.UTC(2026, 1, 3, 12, 0, 0);
const MINUTE = 60_000;

/** What comes of one time and one offset. */
function taken(time: string, offset?: string): [date: number | null, offset: number | null] {
  const { create_date, create_offset_minutes } = takenAt({
    DateTimeOriginal: { value: [time] },
    OffsetTimeOriginal: offset === undefined ? undefined : { value: [offset] },
  });
  return [create_date, create_offset_minutes];
}

Deno.test("a time with a zone is told from one without", () => {
  const time = "2026:02:03 12:00:00";
  assert.deepEqual(taken(time), [noon, null]);
  assert.deepEqual(taken(time, "+00:00"), [noon, 0]);
  assert.deepEqual(taken(time, "-00:00"), [noon, 0]);
  assert.deepEqual(taken(time, "Z"), [noon, 0]);
  assert.deepEqual(taken(time, "+05:30"), [noon - 330 * MINUTE, 330]);
  assert.deepEqual(taken(time, "-0330"), [noon + 210 * MINUTE, -210]);
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
  const [original, digitized, changed] = ["2026:02:30 01:00:00", "bad", "2026:02:03 12:00:00"]
    .map((time) => ({ value: [time] }));
  const tags = {
    ...{ DateTimeOriginal: original, DateTimeDigitized: digitized, DateTime: changed },
    ...{ OffsetTimeOriginal: { value: ["+01:00"] }, OffsetTime: { value: ["+02:00"] } },
  };
  assert.deepEqual(takenAt(tags), {
    create_date: noon - 120 * MINUTE,
    create_offset_minutes: 120,
  });
  assert.equal(takenAt({ ...tags, DateTimeDigitized: changed }).create_offset_minutes, null);
  assert.equal(takenAt({ DateTime: { value: 7 } }).create_date, null);
});
