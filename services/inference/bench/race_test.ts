import { temporaryFolder } from "@fovea/testing";
import { testModel } from "@fovea/testing/models";
import assert from "node:assert/strict";
import type { Turn } from "./contender.ts";
import { type Contender, race, raceProcesses } from "./race.ts";

/** Has the turns it is given, whatever their length. */
function contender(name: string, turns: Turn[], log: string[]): Contender {
  return {
    name,
    turn: (seconds) => {
      log.push(`${name} ${seconds}`);
      return Promise.resolve(turns.shift()!);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

Deno.test("contenders take turns, and their scores are the medians of them", async () => {
  const turn = (picturesPerSecond: number, infer: number[]): Turn => ({
    picturesPerSecond,
    stagesMs: { infer },
    peakMemory: picturesPerSecond,
  });
  const log: string[] = [];
  const [a, b] = await race([
    contender("a", [turn(1, [9]), turn(8, [1, 2]), turn(3, [3, 4])], log),
    contender("b", [turn(5, [5]), turn(5, [5]), turn(5, [5])], log),
  ], 12);
  assert.deepEqual(log, ["a 4", "b 4", "a 4", "b 4", "a 4", "b 4"]);
  assert.deepEqual(a, { name: "a", picturesPerSecond: 3, stagesMs: { infer: 3 }, peakMemory: 8 });
  assert.equal(b!.picturesPerSecond, 5);
});

Deno.test("the service's workers run as a contender of two threads", async () => {
  const { name, sha256, path } = await testModel("face_detection", "ultraface-rfb-320");
  await using folder = await temporaryFolder();
  const image = new URL("../../../clients/images/rocket.jpg", import.meta.url);
  await Deno.copyFile(image, `${folder.path}/rocket.jpg`);
  const [score] = await raceProcesses([{
    name: "Fovea",
    script: "./fovea.ts",
    arguments: {
      task: "face_detection",
      model: { name, sha256, path },
      backend: "wasm",
      precision: null,
      workers: 2,
      pictures: folder.path,
    },
  }], 0.5);
  assert.ok(score!.picturesPerSecond > 0);
  assert.ok(score!.stagesMs.decode! > 0 && score!.stagesMs.infer! > 0);
  assert.ok(score!.peakMemory > 50e6);
});

Deno.test("a contender that can't begin is named", async () => {
  const wrong = { name: "Fovea", script: "./no_such_script.ts", arguments: {} };
  await assert.rejects(
    raceProcesses([wrong], 1),
    /^Error: Cannot measure Fovea: its process ended/,
  );
});
