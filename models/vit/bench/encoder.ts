/**
 * The encoder's part of the bench: how exact it is, how fast, whole and kernel by kernel, what memory
 * it takes, and how close each kernel comes to what the processor can do.
 *
 * @module
 */
import type { Measured } from "@fovea/bench/figure";
import { type TestModel, testModel } from "@fovea/testing/models";
import { loadWeights } from "../load_weights.ts";
import type { Precision } from "../packing/layout.ts";
import { calibrationPictures } from "../packing/calibration_pictures.ts";
import { readTower } from "../read_tower.ts";
import { largestDifference } from "../testing/exported_towers.ts";
import { openFirst } from "../testing/packed_towers.ts";
import { embedPlainly } from "../testing/reference.ts";
import { figuresOf } from "./figures.ts";
import type { EncoderMeasured, MeasureRequest } from "./measure.ts";
import { printKernels, printSpeeds } from "./tables.ts";

export async function encoder(seconds: number): Promise<Measured> {
  const model = await testModel("image_embedding", "clip-vit-b-32-seeded");
  const difference = await differenceToFloat64(model);
  const measured = [
    await measureInChildProcess(model, "fp32", seconds),
    await measureInChildProcess(model, "int8", seconds),
  ];
  printKernels(measured);
  printSpeeds(measured);
  return { figures: figuresOf(measured, difference), details: { difference, measured } };
}

/** @returns the largest difference between the numbers of one embedding in fp32 and in float64 */
async function differenceToFloat64({ path, sha256 }: TestModel): Promise<number> {
  const tower = readTower(await Deno.readFile(path));
  const picture = calibrationPictures(tower.shape.imageSize)[0]!;
  const weights = await loadWeights(path, { sha256, onNotice: console.error });
  return largestDifference(openFirst(weights).run(picture), embedPlainly(tower, picture));
}

/** Measures in a process of its own, once the weights are packed. */
export async function measureInChildProcess(
  { path, sha256 }: Pick<TestModel, "path" | "sha256">,
  precision: Precision,
  seconds: number,
): Promise<EncoderMeasured> {
  await loadWeights(path, { sha256, precision, onNotice: console.error });
  const request: MeasureRequest = { path, sha256, precision, seconds };
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-all", // the memory of a process can be read with all permissions only
      "--v8-flags=--max-semi-space-size=4", // as the service has it
      new URL("./measure.ts", import.meta.url).pathname,
      JSON.stringify(request),
    ],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot measure the encoder as ${precision}: its process failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
