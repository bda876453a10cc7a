/**
 * The axes of symbolic tensors, known by what they count. An exported graph reshapes and
 * transposes a lot, and mostly to no effect: here an axis is a list of digits, reshaping regroups the
 * digits, transposing moves them, and what they stand for is still known when they meet again.
 *
 * @example Attention's heads: channels 0…15 as 2 heads of 8
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const split = regroup([whole("token", 10), whole("channel", 16)], [10, 2, 8]);
 * const [token, head, within] = split;
 * assert.deepEqual(head, [{ index: "channel", count: 16, stride: 8, size: 2 }]);
 * assert.deepEqual(regroup([token!, head!, within!], [10, 16])[1], whole("channel", 16));
 * ```
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { product } from "./constant.ts";
import { UnsupportedModel } from "../unsupported_model.ts";

/** What is counted. `key` is a token that is looked at by others; `channel` one number of a token. */
export type Index = "picture" | "colour" | "row" | "column" | "patch" | "token" | "key" | "channel";

/** One digit of an index of 0…count − 1: ⌊index / stride⌋ mod size. */
export interface Digit {
  index: Index;
  count: number;
  stride: number;
  /** 2 or more: where there is one only, nothing is counted. */
  size: number;
}

/** Most significant digit first; none for an axis of size 1. */
export type Axis = readonly Digit[];

/** An axis that counts all of something. */
export function whole(index: Index, count: number): Axis {
  return count === 1 ? [] : [{ index, count, stride: 1, size: count }];
}

export function sizeOf(axis: Axis): number {
  return product(axis.map(({ size }) => size));
}

/**
 * What stands for a number of pictures that is left open: a prime that divides no other size, so that
 * sizes which a graph computes from it still tell what they are of.
 */
export const OPEN_BATCH = 1_000_003;

/** Sizes as a message shows them: n for the number of pictures that is left open. */
export function formatShape(dims: readonly number[]): string {
  const sizes = dims.map((dim) => {
    if (dim === 0 || dim % OPEN_BATCH !== 0) return `${dim}`;
    return dim === OPEN_BATCH ? "n" : `${dim / OPEN_BATCH} · n`;
  });
  return `[${sizes.join(", ")}]`;
}

export function sameAxes(a: readonly Axis[], b: readonly Axis[]): boolean {
  return isDeepStrictEqual(a, b);
}

/** Whether an axis counts all of `index`, in order. */
export function isWhole(axis: Axis | undefined, index: Index): axis is Axis {
  const digit = axis?.[0];
  return axis?.length === 1 && digit?.index === index && digit.size === digit.count;
}

/**
 * Reshapes: the same numbers in the same order, along other axes.
 *
 * @throws {UnsupportedModel} where a new axis would begin within a digit
 */
export function regroup(axes: readonly Axis[], dims: readonly number[]): Axis[] {
  const digits = axes.flat();
  const regrouped = dims.map((dim) => takeDigits(digits, dim));
  if (regrouped.includes(null) || digits.length > 0) {
    throw new UnsupportedModel(
      `the shape ${formatShape(axes.map(sizeOf))} can't become ${formatShape(dims)}`,
    );
  }
  return (regrouped as Digit[][]).map(joined);
}

/** Takes as many digits as have `size` together off the front, part of the last one if need be. */
function takeDigits(digits: Digit[], size: number): Digit[] | null {
  const taken: Digit[] = [];
  for (let wanted = size; wanted > 1;) {
    const digit = digits.shift();
    if (digit === undefined) return null;
    if (wanted % digit.size === 0) {
      taken.push(digit);
      wanted /= digit.size;
    } else if (digit.size % wanted === 0) {
      const left = digit.size / wanted;
      taken.push({ ...digit, stride: digit.stride * left, size: wanted });
      digits.unshift({ ...digit, size: left });
      wanted = 1;
    } else return null;
  }
  return taken;
}

/** Digits that are neighbours in their index again are one. */
function joined(digits: Digit[]): Axis {
  const axis: Digit[] = [];
  for (const digit of digits) {
    const before = axis.at(-1);
    if (
      before?.index === digit.index && before.count === digit.count &&
      before.stride === digit.stride * digit.size
    ) axis[axis.length - 1] = { ...digit, size: before.size * digit.size };
    else axis.push(digit);
  }
  return axis;
}
