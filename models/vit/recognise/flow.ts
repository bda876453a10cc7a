/**
 * What flows through a tower while its graph is followed: not numbers, but which term it is of, times
 * which factor, along which axes.
 *
 * @module
 */
import { type Axis, type Digit, regroup, sameAxes, shown, sizeOf } from "./axes.ts";
import type { Term } from "./term.ts";
import { UnlikeATower } from "./unlike_a_tower.ts";

export class Flow<T extends Term = Term> {
  /** @param factor kept apart from the term: graphs scale early or late, to the same effect */
  constructor(readonly term: T, readonly axes: readonly Axis[], readonly factor = 1) {}

  get dims(): number[] {
    return this.axes.map(sizeOf);
  }

  /** For messages. */
  toString(): string {
    return `${this.term.kind} ${shown(this.dims)}`;
  }

  times(factor: number): Flow<T> {
    return new Flow(this.term, this.axes, this.factor * factor);
  }

  /** The term itself. @throws {UnlikeATower} where it is scaled */
  unscaled(): T {
    if (this.factor !== 1) {
      throw new UnlikeATower(`its input (${this.term.kind}) is scaled by ${this.factor}`);
    }
    return this.term;
  }

  transpose(perm: readonly number[]): Flow<T> {
    return new Flow(this.term, perm.map((axis) => this.axes[axis]!), this.factor);
  }

  reshape(dims: readonly number[]): Flow<T> {
    return new Flow(this.term, regroup(this.axes, dims), this.factor);
  }

  /** @throws {UnlikeATower} for anything but some columns of a linear layer, or the class token */
  slice(axis: number, start: number, count: number): Flow {
    const digits = this.axes[axis]!;
    if (count === sizeOf(digits)) return this;
    const [digit] = digits;
    if (digits.length === 1 && digit!.stride * digit!.size === digit!.count) {
      if (digit!.index === "channel") return this.columns(axis, digit!, start, count);
      if (digit!.index === "token" && start === 0 && count === 1) return this.firstToken(axis);
    }
    throw new UnlikeATower(
      `${start} to ${start + count - 1} of axis ${axis} of ${this} are taken`,
    );
  }

  /** Some of a linear layer's outputs: that layer with some of its columns. */
  private columns(axis: number, digit: Digit, start: number, count: number): Flow {
    const { term } = this;
    if (term.kind !== "linear layer") {
      throw new UnlikeATower(`some channels of ${term.kind} are taken`);
    }
    const [from, outputs] = [start * digit.stride, count * digit.stride];
    const weight = term.weight.slice(1, from, outputs);
    const bias = term.bias.slice(0, from, outputs);
    const axes = this.axes.with(axis, count === 1 ? [] : [{ ...digit, size: count }])
      .map((digits) => digits.map((d) => d.index === "channel" ? { ...d, count: outputs } : d));
    return new Flow({ ...term, weight, bias }, axes, this.factor);
  }

  private firstToken(axis: number): Flow {
    const { term } = this;
    const axes = this.axes.with(axis, []);
    // A layer normalisation looks at one token at a time: it is the same before and after.
    if (term.kind === "layer normalisation") {
      return new Flow({ ...term, of: { kind: "class token", of: term.of } }, axes, this.factor);
    }
    return new Flow({ kind: "class token", of: term }, axes, this.factor);
  }
}

/** @throws {UnlikeATower} where the two are laid out differently, or one of them is repeated */
export function requireSameAxes(a: Flow, b: Flow): void {
  if (!sameAxes(a.axes, b.axes)) {
    throw new UnlikeATower(
      `${a} and ${b} are laid out differently`,
    );
  }
}
