/**
 * How latencies and races are printed.
 *
 * @module
 */
import { fixed, printTable } from "@fovea/bench/table";
import type { Latency } from "./latency.ts";
import type { Section } from "./races.ts";

/** Prints the milliseconds of single jobs, by task and model. */
export function printLatencies(title: string, latencies: ReadonlyMap<string, Latency>): void {
  console.log(`${title}: median ms\n`);
  printTable(
    ["task, model", "POST to event", "fetch", "decode", "infer", "services' own"],
    Array.from(latencies, ([name, { total, fetch, decode, infer, own }]) => [
      name,
      ...[total, fetch, decode, infer, own].map((ms) => ms.toFixed(1)),
    ]),
  );
}

/** Prints a race. */
export function printScores({ title, scores }: Section): void {
  console.log(`\n${title}\n`);
  printTable(
    ["", "decode ms", "infer ms", "pictures/s", "peak MB"],
    scores.map(({ name, stagesMs, picturesPerSecond, peakMemory }) => [
      name,
      fixed(stagesMs.decode),
      fixed(stagesMs.infer),
      fixed(picturesPerSecond),
      fixed(peakMemory / 1e6, 0),
    ]),
  );
}
