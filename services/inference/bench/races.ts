/**
 * Which contenders are compared with each other.
 *
 * @module
 */
import type { TaskType } from "@fovea/contract";
import type { TestModel } from "@fovea/testing/models";
import type { Precision } from "@fovea/vit";
import { type Backend, BACKENDS } from "../runtime/backend.ts";
import type { Fixtures } from "./fixtures.ts";
import { enter, type Entry, race, raceProcesses, type Score } from "./race.ts";
import { enterWholePath } from "./whole_path.ts";

/** A comparison that was made. */
export interface Section {
  id: "one_core" | "all_cores" | "whole_path" | "faces" | "decoding";
  title: string;
  scores: Score[];
}

/** What Fovea's workers run a network on: the encoder in one of its precisions, or ONNX Runtime. */
const RUNTIMES = {
  fp32: { backend: "wasm", precision: "fp32" },
  int8: { backend: "wasm", precision: "int8" },
  "onnxruntime-web": { backend: "wasm", precision: null },
  "onnxruntime-web, int8": { backend: "wasm", precision: null },
  "onnxruntime-node": { backend: "native", precision: null },
} as const satisfies Record<string, { backend: Backend; precision: Precision | null }>;
export type Runtime = keyof typeof RUNTIMES;

/** Names under which scores are looked up again. */
export const fovea = (runtime: Runtime, workers: number) => `Fovea, ${runtime} × ${workers}`;
export const PEERS = {
  onnxruntimeWeb: "onnxruntime-web, 1 thread",
  onnxruntimeNode: "onnxruntime-node, 1 thread",
  onnxruntimeNodeAll: "onnxruntime-node, its choice of threads",
  transformers: (backend: Backend) => `@huggingface/transformers, ${backend}`,
  sharp: "sharp",
} as const;
export const WHOLE_PATH = "upload to event";
export const IN_MEMORY = "from memory";
export const DECODING = "Fovea";

export interface RacesOptions {
  fixtures: Fixtures;
  faceModels: TestModel[];
  /** Threads of Fovea where all cores are busy. */
  workers: number;
  /** For each line. */
  seconds: number;
}

/** Makes all comparisons, one after the other. */
export async function* runRaces(options: RacesOptions): AsyncGenerator<Section> {
  const { fixtures, workers, seconds } = options;
  const { tower, quantisedTower, megapixel, modelsFolder } = fixtures;
  const embedding = (runtime: Runtime, threads: number, model = tower) =>
    foveaEntry("image_embedding", model, megapixel, runtime, threads);
  const bare = (name: string, script: string, threads: number): Entry => ({
    name,
    script,
    arguments: { model: tower.path, threads },
  });
  yield {
    id: "one_core",
    title: "ViT-B/32, 1 MP JPEGs, one core; the bare libraries get the network's input ready-made",
    scores: await raceProcesses([
      embedding("onnxruntime-web", 1),
      bare(PEERS.onnxruntimeWeb, "./bare_wasm.ts", 1),
      embedding("onnxruntime-node", 1),
      bare(PEERS.onnxruntimeNode, "./peers/onnxruntime_node.ts", 1),
    ], seconds),
  };
  yield {
    id: "all_cores",
    title: "ViT-B/32, 1 MP JPEGs from file to embedding, all cores",
    scores: await raceProcesses([
      embedding("fp32", workers),
      embedding("onnxruntime-web", workers),
      embedding("int8", workers),
      embedding("onnxruntime-web, int8", workers, quantisedTower),
      embedding("onnxruntime-node", workers),
      ...BACKENDS.map((backend): Entry => ({
        name: PEERS.transformers(backend),
        script: "./peers/transformers.ts",
        arguments: { modelsFolder, pictures: megapixel, backend },
      })),
      bare(PEERS.onnxruntimeNodeAll, "./peers/onnxruntime_node.ts", 0),
    ], seconds),
  };
  yield {
    id: "whole_path",
    title: `ViT-B/32, 1 MP JPEGs through both services, fp32 × ${workers}`,
    scores: await raceWholePath(options),
  };
  for (const model of options.faceModels) {
    const entries = (["onnxruntime-web", "onnxruntime-node"] as const).flatMap((runtime) =>
      [...new Set([1, workers])].map((threads) =>
        foveaEntry("face_detection", model, megapixel, runtime, threads)
      )
    );
    yield {
      id: "faces",
      title: `${model.name}, 1 MP JPEGs`,
      scores: await raceProcesses(entries, seconds),
    };
  }
  const { fixture, twelveMegapixels: pictures } = fixtures;
  yield {
    id: "decoding",
    title: "12 MP JPEG to the network's input, one core; the network is the small one",
    scores: await raceProcesses([
      { ...foveaEntry("image_embedding", fixture, pictures, "fp32", 1), name: DECODING },
      { name: PEERS.sharp, script: "./peers/sharp.ts", arguments: { pictures } },
    ], seconds),
  };
}

async function raceWholePath({ fixtures, workers, seconds }: RacesOptions): Promise<Score[]> {
  const { tower, megapixel: pictures } = fixtures;
  await using inMemory = await enter({
    ...foveaEntry("image_embedding", tower, pictures, "fp32", workers),
    name: IN_MEMORY,
  });
  const env = { EMBEDDING_MODEL: tower.name };
  await using whole = await enterWholePath({ name: WHOLE_PATH, workers, pictures, env });
  return await race([whole, inMemory], seconds);
}

function foveaEntry(
  task: TaskType,
  { name, sha256, path }: TestModel,
  pictures: string,
  runtime: Runtime,
  workers: number,
): Entry {
  const model = { name, sha256, path };
  return {
    name: fovea(runtime, workers),
    script: "./fovea.ts",
    arguments: { task, model, ...RUNTIMES[runtime], workers, pictures },
  };
}
