/**
 * A process that loads a model and embeds a picture; for tests of several at once, and of processors
 * that lack something.
 *
 * @module
 */
import { endOf } from "@fovea/testing/program_end";
import { loadWeights } from "../load_weights.ts";
import type { Precision } from "../packing/layout.ts";
import { UnsupportedModel } from "../unsupported_model.ts";
import { openFirst } from "./packed_towers.ts";
import { randomPictures } from "./random_tower.ts";

/** What it prints, as JSON. */
export interface Answer {
  /** How often the model was packed. */
  notices: number;
  levels?: number;
  embedding?: number[];
  /** Why it can't be loaded here. */
  unsupported?: string;
}

/** Runs it. @param v8Flags such as `--no-enable-avx-vnni` */
export async function loadAndEmbedElsewhere(
  modelPath: string,
  precision: Precision,
  v8Flags = "",
): Promise<Answer> {
  const { code, stdout, stderr } = await endOf(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      ...v8Flags === "" ? [] : [`--v8-flags=${v8Flags}`],
      new URL(import.meta.url).pathname,
      modelPath,
      precision,
    ],
  });
  if (code !== 0) throw new Error(`Cannot load and embed: ${stderr}`);
  return JSON.parse(stdout);
}

async function loadAndEmbed(modelPath: string, precision: Precision): Promise<Answer> {
  let notices = 0;
  try {
    const weights = await loadWeights(modelPath, { precision, onNotice: () => notices++ });
    const [picture] = randomPictures(weights.shape, 1);
    const embedding = [...openFirst(weights).run(picture!)];
    return { notices, levels: weights.levels, embedding };
  } catch (error) {
    if (error instanceof UnsupportedModel) return { notices, unsupported: error.reason };
    throw error;
  }
}

if (import.meta.main) {
  const [modelPath, precision] = Deno.args as [string, Precision];
  console.log(JSON.stringify(await loadAndEmbed(modelPath, precision)));
}
