/**
 * A tensor as a graph is interpreted on it: not numbers, but which expression it is of, times which
 * factor, along which axes.
 *
 * @module
 */
import { type Axis, type Digit, formatShape, regroup, sameAxes, sizeOf } from "./axes.ts";
import type { Expression } from "./expression.ts";
import { UnsupportedModel } from "../unsupported_model.ts";

export class SymbolicTensor<T extends Expression = Expression> {
  /** @param factor kept apart from the expression: graphs scale early or late, to the same effect */
  constructor(readonly expression: T, readonly axes: readonly Axis[], readonly factor = 1) {}

  get dims(): number[] {
    return this.axes.map(sizeOf);
  }

  /** For messages. */
  toString(): string {
    return `${this.expression.kind} ${formatShape(this.dims)}`;
  }

  times(factor: number): SymbolicTensor<T> {
    return new SymbolicTensor(this.expression, this.axes, this.factor * factor);
  }

  /** The expression itself. @throws {UnsupportedModel} where it is scaled */
  unscaled(): T {
    if (this.factor !== 1) {
      throw new UnsupportedModel(`its input (${this.expression.kind}) is scaled by ${this.factor}`);
    }
    return this.expression;
  }

  transpose(perm: readonly number[]): SymbolicTensor<T> {
    return new SymbolicTensor(this.expression, perm.map((axis) => this.axes[axis]!), this.factor);
  }

  reshape(dims: readonly number[]): SymbolicTensor<T> {
    return new SymbolicTensor(this.expression, regroup(this.axes, dims), this.factor);
  }

  /** @throws {UnsupportedModel} for anything but some columns of a linear layer, or the class token */
  slice(axis: number, start: number, count: number): SymbolicTensor {
    const digits = this.axes[axis]!;
    if (count === sizeOf(digits)) return this;
    const [digit] = digits;
    if (digits.length === 1 && digit!.stride * digit!.size === digit!.count) {
      if (digit!.index === "channel") return this.columns(axis, digit!, start, count);
      if (digit!.index === "token" && start === 0 && count === 1) return this.firstToken(axis);
    }
    throw new UnsupportedModel(
      `${start} to ${start + count - 1} of axis ${axis} of ${this} are taken`,
    );
  }

  /** Some of a linear layer's outputs: that layer with some of its columns. */
  private columns(axis: number, digit: Digit, start: number, count: number): SymbolicTensor {
    const { expression } = this;
    if (expression.kind !== "linear layer") {
      throw new UnsupportedModel(`some channels of ${expression.kind} are taken`);
    }
    const [from, outputs] = [start * digit.stride, count * digit.stride];
    const weight = expression.weight.slice(1, from, outputs);
    const bias = expression.bias.slice(0, from, outputs);
    const axes = this.axes.with(axis, count === 1 ? [] : [{ ...digit, size: count }])
      .map((digits) => digits.map((d) => d.index === "channel" ? { ...d, count: outputs } : d));
    return new SymbolicTensor({ ...expression, weight, bias }, axes, this.factor);
  }

  private firstToken(axis: number): SymbolicTensor {
    const { expression } = this;
    const axes = this.axes.with(axis, []);
    // A layer normalisation looks at one token at a time: it is the same before and after.
    if (expression.kind === "layer normalisation") {
      return new SymbolicTensor(
        { ...expression, of: { kind: "class token", of: expression.of } },
        axes,
        this.factor,
      );
    }
    return new SymbolicTensor({ kind: "class token", of: expression }, axes, this.factor);
  }
}

/** @throws {UnsupportedModel} where the two are laid out differently, or one of them is repeated */
export function requireSameAxes(a: SymbolicTensor, b: SymbolicTensor): void {
  if (!sameAxes(a.axes, b.axes)) {
    throw new UnsupportedModel(
      `${a} and ${b} are laid out differently`,
    );
  }
}
