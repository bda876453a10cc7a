import type { Levels } from "@fovea/vit";
import assert from "node:assert/strict";
import type { Score } from "./race.ts";
import { DECODING, fovea, IN_MEMORY, PEERS, type Section, WHOLE_PATH } from "./races.ts";
import { figuresOf } from "./figures.ts";

const score = (name: string, picturesPerSecond: number, ms = 1): Score => ({
  name,
  picturesPerSecond,
  stagesMs: { decode: ms, infer: ms },
  peakMemory: 300e6,
});

/** Races in which everything holds, and most of it only just. */
function measured(change: Partial<Record<Section["id"], Score[]>> = {}): Section[] {
  const races: Partial<Record<Section["id"], Score[]>> = {
    one_core: [
      score(fovea("onnxruntime-web", 1), 3, 104),
      score(PEERS.onnxruntimeWeb, 3, 100),
      score(fovea("onnxruntime-node", 1), 10, 54),
      score(PEERS.onnxruntimeNode, 10, 50),
    ],
    all_cores: [
      score(fovea("fp32", 2), 8.5),
      score(fovea("onnxruntime-web", 2), 6),
      score(fovea("int8", 2), 28.5),
      score(fovea("onnxruntime-web, int8", 2), 10),
      score(fovea("onnxruntime-node", 2), 20),
      score(PEERS.onnxruntimeNodeAll, 31),
      score(PEERS.transformers("wasm"), 5),
      score(PEERS.transformers("native"), 19),
    ],
    whole_path: [{ ...score(WHOLE_PATH, 9), stagesMs: { health: 19 } }, score(IN_MEMORY, 10)],
    decoding: [score(DECODING, 10, 49), score(PEERS.sharp, 10, 25)],
    ...change,
  };
  return Object.entries(races).map(([id, scores]) => ({
    id: id as Section["id"],
    title: id,
    scores,
  }));
}

const figures = (sections: Section[], cosine = 0.9991, levels: Levels = 255) =>
  figuresOf({ sections, workers: 2, cosine, levels });

const missed = (...measured: Parameters<typeof figures>) =>
  figures(...measured).filter(({ holds }) => holds === false).map(({ name, value }) => [
    name,
    value,
  ]);

Deno.test("what is just within its bounds holds", () => {
  assert.deepEqual(missed(measured()), []);
  assert.equal(figures(measured()).filter(({ holds }) => holds).length, 12);
});

Deno.test("what is beyond its bounds is missed, and nothing else is", () => {
  assert.deepEqual(
    missed(
      measured({
        whole_path: [{ ...score(WHOLE_PATH, 8), stagesMs: { health: 19 } }, score(IN_MEMORY, 10)],
      }),
    ),
    [["pictures/s, upload to event : from memory", 0.8]],
  );
  assert.deepEqual(
    missed(measured({ decoding: [score(DECODING, 10, 60), score(PEERS.sharp, 10, 25)] })),
    [["ms from 12 MP to input, Fovea : sharp", 2.4]],
  );
  assert.deepEqual(missed(measured(), 0.998), [["smallest cosine of int8 to fp32", 0.998]]);
  assert.deepEqual(missed(measured(), 0.998, 127), []);
});

Deno.test("a comparison with a contender that took no part is an error, not a number", () => {
  assert.throws(
    () => figures(measured({ decoding: [score(DECODING, 10)] })),
    /^Error: Cannot compare: sharp did not take part in decoding$/,
  );
});
