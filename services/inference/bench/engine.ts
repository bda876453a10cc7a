/**
 * The engine's part of the bench: how long single jobs take, and races against the libraries that
 * do the same.
 *
 * @module
 */
import type { Measured } from "@fovea/bench/figure";
import { temporaryFolder } from "@fovea/testing";
import { BARE } from "@fovea/testing/suite";
import { yunet } from "@fovea/testing/models";
import { smallestCosine } from "./agreement.ts";
import { makeFixtures, model } from "./fixtures.ts";
import { figuresOf } from "./figures.ts";
import { type Latency, measureLatency } from "./latency.ts";
import { runRaces, type Section } from "./races.ts";
import { printLatencies, printScores } from "./scores.ts";

// More would need more memory than speed: each holds the tower.
const workers = Math.min(navigator.hardwareConcurrency, 4);

export async function engine(seconds: number): Promise<Measured> {
  await using folder = await temporaryFolder();
  const fixtures = await makeFixtures(folder.path);
  const faceModels = [await model("face_detection", BARE.FACE_MODEL)];
  if (yunet.model === null) console.error(`yunet-2023mar is left out: needs ${yunet.what}`);
  else faceModels.unshift(await model("face_detection", yunet.model.name));

  const latencies = new Map<string, Latency>();
  for (const { name } of faceModels) {
    const env = { FACE_MODEL: name };
    latencies.set(`face_detection, ${name}`, await measureLatency("face_detection", env, seconds));
  }
  latencies.set("image_embedding, fixture", await measureLatency("image_embedding", {}, seconds));
  printLatencies("astronaut.png, 512 × 512, one job at a time, one worker", latencies);

  const { cosine, levels } = await smallestCosine(fixtures.tower, fixtures.megapixel);
  const sections: Section[] = [];
  for await (const section of runRaces({ fixtures, faceModels, workers, seconds })) {
    sections.push(section);
    printScores(section);
  }
  return {
    figures: figuresOf({ sections, workers, cosine, levels }),
    details: { latencies: Object.fromEntries(latencies), cosine, levels, sections },
  };
}
