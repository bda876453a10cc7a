/**
 * What must hold, as a number beside the bound it has to keep.
 *
 * @module
 */

/** A measured number, mostly the ratio of two that were measured side by side. */
export interface Figure {
  name: string;
  value: number;
  /** In words. */
  wanted: string;
  /** Null where nothing is wanted of it. */
  holds: boolean | null;
}

/** @param most the value may be this, and not more */
export function atMost(name: string, value: number, most: number): Figure {
  return { name, value, wanted: `at most ${most}`, holds: value <= most };
}

/** @param least the value may be this, and not less */
export function atLeast(name: string, value: number, least: number): Figure {
  return { name, value, wanted: `at least ${least}`, holds: value >= least };
}

/** A number that is worth knowing, without a bound. */
export function unbounded(name: string, value: number): Figure {
  return { name, value, wanted: "", holds: null };
}

/** What a part of the bench gives: figures that must hold, and whatever else it measured. */
export interface Measured {
  figures: Figure[];
  /** As it goes into the report. */
  details: unknown;
}

/** A part of the bench; it prints its own tables. @param seconds for each line of them */
export type Part = (seconds: number) => Promise<Measured>;
