/**
 * `deno task bench`: how fast everything is, beside what a developer would take otherwise, on the
 * same pictures and the same network, in the same run. Prints tables, and writes dist/bench.json.
 *
 * @module
 */
import { BARE } from "@fovea/testing/house";
import { temporaryFolder } from "@fovea/testing";
import { yunet } from "@fovea/testing/models";
import { parseArgs } from "node:util";
import { layCourse, model } from "./course.ts";
import { type Latency, measureLatency } from "./latency.ts";
import { runRaces, type Section } from "./races.ts";
import { ratios } from "./ratios.ts";
import { printLatencies, printRatios, printScores } from "./table.ts";

const HELP = `Usage: deno task bench [--seconds N]

Measures Fovea beside onnxruntime-web, onnxruntime-node, @huggingface/transformers and sharp, which
it installs into services/inference/bench/peers (500 MB). Prints tables, and writes dist/bench.json.

  --seconds N   for each line; default 10, with which all takes about seven minutes`;

const REPORT = new URL("../../../dist/bench.json", import.meta.url);

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "10" }, help: { type: "boolean" } },
});
const seconds = Number(values.seconds);
if (values.help || !(seconds > 0)) {
  console.log(HELP);
  Deno.exit(values.help ? 0 : 2);
}

// More would need more memory than speed: each holds the tower.
const workers = Math.min(navigator.hardwareConcurrency, 4);

await using folder = await temporaryFolder();
const course = await layCourse(folder.path);
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

const measured: Section[] = [];
for await (const section of runRaces({ course, faceModels, workers, seconds })) {
  measured.push(section);
  printScores(section);
}
const results = ratios(measured, workers);
printRatios(results);

const report = {
  date: new Date().toISOString(),
  machine: { ...Deno.build, cores: navigator.hardwareConcurrency, deno: Deno.version.deno },
  seconds,
  latencies: Object.fromEntries(latencies),
  sections: measured,
  ratios: results,
};
await Deno.mkdir(new URL(".", REPORT), { recursive: true });
await Deno.writeTextFile(REPORT, `${JSON.stringify(report, null, 2)}\n`);
console.log("\nWritten to dist/bench.json");
