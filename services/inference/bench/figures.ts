/**
 * What must hold, worked out from what was measured.
 *
 * @module
 */
import { atLeast, atMost, type Figure, unbounded } from "@fovea/bench/figure";
import { CLOSE_COSINE, type Levels } from "@fovea/vit";
import type { Score } from "./race.ts";
import {
  DECODING,
  fovea,
  IN_MEMORY,
  PEERS,
  type Runtime,
  type Section,
  WHOLE_PATH,
} from "./races.ts";

/** Bytes that a worker may take at most for a 12 MP picture, the large tower not counted. */
const MOST_MEMORY = 400e6;

export interface EngineMeasured {
  sections: readonly Section[];
  /** Of the races that took all cores. */
  workers: number;
  /** The smallest of int8's embeddings to fp32's. */
  cosine: number;
  /** With which int8 was multiplied: 255 only where the processor is made for it. */
  levels: Levels;
}

/** @throws {Error} where one that is compared did not take part */
export function figuresOf({ sections, workers, cosine, levels }: EngineMeasured): Figure[] {
  const of = (id: Section["id"], name: string): Score => {
    const race = sections.find((section) => section.id === id);
    const found = race?.scores.find((score) => score.name === name);
    if (found === undefined) throw new Error(`Cannot compare: ${name} did not take part in ${id}`);
    return found;
  };
  const infer = (name: string) => of("one_core", name).stagesMs.infer!;
  const decode = (name: string) => of("decoding", name).stagesMs.decode!;
  const speed = (id: Section["id"], name: string) => of(id, name).picturesPerSecond;
  const all = (runtime: Runtime) => speed("all_cores", fovea(runtime, workers));
  const peer = (name: string) => speed("all_cores", name);
  // On other processors int8 is quicker than fp32, too, but nothing is claimed of by how much.
  const int8Least: typeof atLeast = levels === 255 ? atLeast : unbounded;
  return [
    atLeast("pictures/s, fp32 : onnxruntime-web", all("fp32") / all("onnxruntime-web"), 1.4),
    int8Least("pictures/s, int8 : its int8", all("int8") / all("onnxruntime-web, int8"), 2.8),
    int8Least(
      "pictures/s, int8 : onnxruntime-node, fp32, all cores",
      all("int8") / peer(PEERS.onnxruntimeNodeAll),
      0.9,
    ),
    atLeast("smallest cosine of int8 to fp32", cosine, CLOSE_COSINE[levels]),
    atMost(
      "ms in the network, onnxruntime-web in a worker : bare",
      infer(fovea("onnxruntime-web", 1)) / infer(PEERS.onnxruntimeWeb),
      1.05,
    ),
    atMost(
      "ms in the network, onnxruntime-node in a worker : bare",
      infer(fovea("onnxruntime-node", 1)) / infer(PEERS.onnxruntimeNode),
      1.1,
    ),
    atLeast(
      "pictures/s, fp32 : @huggingface/transformers, wasm",
      all("fp32") / peer(PEERS.transformers("wasm")),
      1,
    ),
    atLeast(
      "pictures/s, onnxruntime-node : @huggingface/transformers, native",
      all("onnxruntime-node") / peer(PEERS.transformers("native")),
      1,
    ),
    unbounded(
      "pictures/s, int8 : @huggingface/transformers, native",
      all("int8") / peer(PEERS.transformers("native")),
    ),
    atLeast(
      "pictures/s, upload to event : from memory",
      speed("whole_path", WHOLE_PATH) / speed("whole_path", IN_MEMORY),
      0.85,
    ),
    atMost(
      "ms until /health answers with all workers busy, 99th percentile",
      of("whole_path", WHOLE_PATH).stagesMs.health!,
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
