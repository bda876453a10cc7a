/**
 * What must hold, worked out from what was measured.
 *
 * @module
 */
import { atLeast, atMost, type Figure } from "@fovea/bench/figure";
import { BACKENDS } from "../tasks/backend.ts";
import type { Score } from "./race.ts";
import { DECODING, FED, fovea, PEERS, type Section, WHOLE_PATH } from "./races.ts";

/** Bytes that a worker may take at most for a 12 MP picture, the large tower not counted. */
const MOST_MEMORY = 400e6;

/**
 * @param workers of the races that took all cores
 * @throws {Error} where one that is compared did not take part
 */
export function figuresOf(measured: readonly Section[], workers: number): Figure[] {
  const of = (id: Section["id"], name: string): Score => {
    const race = measured.find((section) => section.id === id);
    const found = race?.scores.find((score) => score.name === name);
    if (found === undefined) throw new Error(`Cannot compare: ${name} did not take part in ${id}`);
    return found;
  };
  const infer = (name: string) => of("one_core", name).stages.infer!;
  const decode = (name: string) => of("decoding", name).stages.decode!;
  const speed = (id: Section["id"], name: string) => of(id, name).picturesPerSecond;
  return [
    atMost(
      "ms in the network, wasm : onnxruntime-web",
      infer(fovea("wasm", 1)) / infer(PEERS.onnxruntimeWeb),
      1.05,
    ),
    atMost(
      "ms in the network, native : onnxruntime-node",
      infer(fovea("native", 1)) / infer(PEERS.onnxruntimeNode),
      1.1,
    ),
    ...BACKENDS.map((backend) =>
      atLeast(
        `pictures/s, ${backend} : @huggingface/transformers on the same runtime`,
        speed("all_cores", fovea(backend, workers)) /
          speed("all_cores", PEERS.transformers(backend)),
        1,
      )
    ),
    atLeast(
      "pictures/s, upload to event : fed from memory",
      speed("whole_path", WHOLE_PATH) / speed("whole_path", FED),
      0.85,
    ),
    atMost(
      "ms until /health answers with all workers busy, 99th percentile",
      of("whole_path", WHOLE_PATH).stages.health!,
      20,
    ),
    atMost("ms from 12 MP to input, Fovea : sharp", decode(DECODING) / decode(PEERS.sharp), 2),
    atMost(
      "peak memory with 12 MP pictures : 400 MB",
      of("decoding", DECODING).peakMemory / MOST_MEMORY,
      1,
    ),
  ];
}
