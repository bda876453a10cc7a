import { Problem } from "@fovea/contract";
import assert from "node:assert/strict";
import { z } from "zod";
import { checked } from "./problem_response.ts";
import { count, readSettings, SettingsError } from "@fovea/process/settings";

const schema = z.strictObject({
  id: z.int().min(1),
  mode: z.enum(["fast", "exact"]).optional(),
  note: z.string().max(3).optional(),
  key: z.uuid().optional(),
});

Deno.test("a request that is wrong is told what it said and what is expected", () => {
  const cases: [unknown, string][] = [
    [{}, "id is missing: a number is expected"],
    [{ id: "1" }, 'id is "1": a number is expected'],
    [{ id: 1.5 }, "id is 1.5: a whole number is expected"],
    [
      { id: 0, note: "long" },
      'id is 0: 1 is the least; note is "long": at most 3 characters ' +
      "are allowed",
    ],
    [{ id: 1, mode: "slow" }, 'mode is "slow": one of fast, exact is expected'],
    [{ id: 1, key: "x".repeat(1000) }, `key is "${"x".repeat(79)}…: a UUID is expected`],
    [{ id: 1, note: {} }, "note: text is expected"],
    [{ id: 1, nota: 1 }, "unknown: nota: known are id, mode, note, key"],
    [[], "an object is expected"],
  ];
  for (const [value, detail] of cases) {
    assert.throws(
      () => checked(schema, value, "malformed_body"),
      (error) => error instanceof Problem && error.message === detail || assert.fail(`${error}`),
    );
  }
});

Deno.test("wrong settings are told alike, all at once", () => {
  const env = new Map([["LIMIT", "50MB"], ["MODE", "slow"], ["WORKERS", "0"]]);
  const settings = z.object({
    LIMIT: count(1),
    MODE: z.enum(["fast", "exact"]),
    WORKERS: count(1),
  });
  assert.throws(
    () => readSettings(settings, env),
    new SettingsError(
      "Cannot start: wrong settings\n" +
        '  LIMIT is "50MB": a number is expected\n' +
        '  MODE is "slow": one of fast, exact is expected\n' +
        '  WORKERS is "0": 1 is the least',
    ),
  );
});
