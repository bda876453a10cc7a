import { Problem, type ProblemCode } from "@fovea/contract";
import assert from "node:assert/strict";
import { countText, exitCode, type Outcome } from "./outcome.ts";

const exitOf = (...codes: (ProblemCode | undefined)[]) =>
  exitCode(codes.map((code) => code === undefined ? {} : { problem: new Problem(code, "") }));

Deno.test("the exit code of several pictures is the common one, else 5", () => {
  assert.equal(exitOf(undefined, undefined), 0);
  assert.equal(exitOf("image_truncated"), 1);
  assert.equal(exitOf("timed_out", "timed_out"), 3);
  assert.equal(exitOf("service_unreachable", "broker_unreachable"), 4);
  assert.equal(exitOf(undefined, "timed_out"), 5);
  assert.equal(exitOf("usage", "timed_out"), 5);
});

Deno.test("pictures are counted by where they are, and how many failed", () => {
  const picture = (stored?: Partial<Outcome["stored"]>, problem?: Problem): Outcome => ({
    file: "a.png",
    ...(stored && { stored: { id: 1, existed: true, deleted: false, ...stored } }),
    ...(problem && { problem }),
  });
  assert.equal(
    countText([picture({ existed: false }), picture({}), picture({}), picture({ deleted: true })]),
    "4 pictures: 1 new, 2 there, 1 there, deleted",
  );
  assert.equal(
    countText([picture({ existed: false }), picture(undefined, new Problem("usage", ""))]),
    "2 pictures: 1 new, 1 not stored; 1 failed",
  );
});
