/**
 * How measurements are summed up and printed.
 *
 * @module
 */
import type { Latency } from "./latency.ts";
import type { Ratio } from "./ratios.ts";
import type { Section } from "./races.ts";

/** The middle value; of an even number of them, the upper one of the two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/** Prints columns, the first one to the left and the others to the right. */
export function printTable(head: readonly string[], rows: readonly string[][]): void {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]!.length))
  );
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    );
    console.log(cells.join("  "));
  }
}

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
    scores.map(({ name, stages, picturesPerSecond, peakMemory }) => [
      name,
      fixed(stages.decode),
      fixed(stages.infer),
      fixed(picturesPerSecond),
      fixed(peakMemory / 1e6, 0),
    ]),
  );
}

/** Prints what must hold, and whether it does. */
export function printRatios(ratios: readonly Ratio[]): void {
  console.log("\nWhat must hold\n");
  printTable(
    ["", "ratio", "wanted", ""],
    ratios.map(({ name, value, wanted, holds }) => [
      name,
      value.toFixed(2),
      wanted,
      holds ? "holds" : "MISSED",
    ]),
  );
}

/** A dash for what was not measured. */
function fixed(value: number | undefined, digits = 1): string {
  return value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits);
}
