/**
 * `deno task bench`: how fast everything is, beside what a developer would take otherwise, on the
 * same pictures and the same network, in the same run. Prints tables, and writes dist/bench.json.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { encoder } from "../../models/vit/bench/encoder.ts";
import { engine } from "../inference/bench/engine.ts";
import { jobs } from "../inference/bench/jobs.ts";
import { soak } from "../inference/bench/soak.ts";
import { store } from "../media_store/bench/store.ts";
import { memory } from "./memory.ts";
import type { Figure, Part } from "@fovea/bench/figure";
import { printFigures } from "@fovea/bench/table";

const PARTS: Readonly<Record<string, Part>> = { encoder, engine, jobs, soak, store, memory };

const HELP = `Usage: ./fovea bench [--seconds N] [PART …]

Measures Fovea, beside onnxruntime-web, onnxruntime-node, @huggingface/transformers and sharp, which
it installs into services/inference/bench/peers (500 MB). Prints tables, and writes dist/bench.json.

  PART          one of ${Object.keys(PARTS).join(", ")}; default all
  --seconds N   for each line of a table; default 10`;

const REPORT = new URL("../../dist/bench.json", import.meta.url);

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: "10" }, help: { type: "boolean" } },
  allowPositionals: true,
});
const seconds = Number(values.seconds);
const unknown = positionals.filter((name) => PARTS[name] === undefined);
if (values.help || !(seconds > 0) || unknown.length > 0) {
  if (unknown.length > 0) console.error(`Cannot measure ${unknown.join(", ")}: no such part\n`);
  console.log(HELP);
  Deno.exit(values.help ? 0 : 2);
}

const parts: Record<string, unknown> = {};
const figures: Figure[] = [];
for (const [name, part] of Object.entries(PARTS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const measured = await part(seconds);
  parts[name] = measured.details;
  figures.push(...measured.figures);
}
printFigures(figures);

const report = {
  date: new Date().toISOString(),
  machine: { ...Deno.build, cores: navigator.hardwareConcurrency, deno: Deno.version.deno },
  seconds,
  figures,
  parts,
};
await Deno.mkdir(new URL(".", REPORT), { recursive: true });
await Deno.writeTextFile(REPORT, `${JSON.stringify(report, null, 2)}\n`);
console.log("\nWritten to dist/bench.json");
