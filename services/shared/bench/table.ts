/**
 * How measurements are summed up and printed.
 *
 * @module
 */
import type { Figure } from "./figure.ts";

/** The middle value; of an even number of them, the upper one of the two. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** The value that `percent` of all lie below, 0…100. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * percent / 100));
  return sorted[at] ?? NaN;
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

/** Prints what must hold, and whether it does. */
export function printFigures(figures: readonly Figure[]): void {
  console.log("\nWhat must hold\n");
  printTable(
    ["", "measured", "wanted", ""],
    figures.map(({ name, value, wanted, holds }) => [
      name,
      // Cosines are told apart by what follows the nines.
      value.toFixed(value < 1 ? 4 : 2),
      wanted,
      holds === null ? "" : holds ? "holds" : "MISSED",
    ]),
  );
}

/** A dash for what was not measured. */
export function fixed(value: number | undefined, digits = 1): string {
  return value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits);
}
