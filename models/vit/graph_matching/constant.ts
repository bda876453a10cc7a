/**
 * Constants of a graph: weights, and the small numbers of which shapes are made. Views as in numpy
 * (offset and strides into numbers that are never copied), so that a weight is still known as the one
 * in the file after it was transposed, sliced or repeated.
 *
 * @module
 */
import type { OnnxTensor } from "../onnx/model.ts";
import { UnsupportedModel } from "../unsupported_model.ts";

/** Exporters compute shapes and scales from constants, which are small; weights are not computed with. */
const LARGEST_COMPUTED = 4096;

export class Constant {
  /** The number at the indices i, j, … is `data[offset + i · strides[0] + j · strides[1] + …]`. */
  private constructor(
    readonly dims: readonly number[],
    /** As in OnnxTensor. */
    readonly type: string,
    readonly data: Float32Array | Float64Array,
    private readonly strides: readonly number[],
    private readonly offset = 0,
  ) {}

  /** @throws {UnsupportedModel} where the numbers are of another type than float and integer */
  static of({ dims, type, data }: OnnxTensor): Constant {
    if (data === null) {
      throw new UnsupportedModel(`weights of type ${type}, where a tower has FLOAT`);
    }
    return new Constant(dims, type, data, rowByRow(dims));
  }

  static integers(dims: number[], values: number[]): Constant {
    return Constant.computed(dims, "INT64", values);
  }

  private static computed(dims: readonly number[], type: string, values: number[]): Constant {
    return new Constant(dims, type, Float64Array.from(values), rowByRow(dims));
  }

  get size(): number {
    return product(this.dims);
  }

  /** All numbers row by row. @throws {UnsupportedModel} where they are many, as weights are */
  numbers(): number[] {
    if (this.size > LARGEST_COMPUTED) {
      throw new UnsupportedModel(`weights of shape [${this.dims}] are computed with`);
    }
    return Array.from(this.copyTo(new Float64Array(this.size)));
  }

  /** The only number of a scalar, of whatever rank; `null` where there are more. */
  scalar(): number | null {
    return this.size === 1 ? this.data[this.offset]! : null;
  }

  /** Whether every number is this one, as zeros of some shape are. */
  isFilledWith(value: number): boolean {
    const isRepeated = this.dims.every((dim, axis) => dim === 1 || this.strides[axis] === 0);
    return isRepeated && this.data[this.offset] === value;
  }

  /** Row by row, [dims]; the file's own numbers where they are so already. */
  float32(): Float32Array {
    const { data, offset } = this;
    if (data instanceof Float32Array && this.isRowByRow()) {
      return data.subarray(offset, offset + this.size);
    }
    return this.copyTo(new Float32Array(this.size));
  }

  transpose(perm: readonly number[]): Constant {
    return this.view(perm.map((axis) => this.dims[axis]!), perm.map((axis) => this.strides[axis]!));
  }

  reshape(dims: readonly number[]): Constant {
    if (this.isRowByRow()) return this.view(dims, rowByRow(dims));
    if (this.isFilledWith(this.data[this.offset]!)) return this.view(dims, dims.map(() => 0));
    return Constant.computed(dims, this.type, this.numbers());
  }

  slice(axis: number, start: number, count: number): Constant {
    const offset = this.offset + start * this.strides[axis]!;
    return this.view(this.dims.with(axis, count), this.strides, offset);
  }

  /** Repeats along axes of size 1, and along new ones in front, as numpy's broadcasting does. */
  expand(dims: readonly number[]): Constant {
    const [own, asked] = aligned(this.dims, dims);
    const strides = aligned(this.strides, dims)[0].map((stride, i) => own[i] === 1 ? 0 : stride);
    return this.view(broadcast(own, asked), strides);
  }

  /** The first of several that are the same along an axis. @throws {UnsupportedModel} where they differ */
  onlyOneAlong(axis: number): Constant {
    const first = this.slice(axis, 0, 1);
    if (this.strides[axis] !== 0) {
      for (let i = 1; i < this.dims[axis]!; i++) {
        const other = this.slice(axis, i, 1).numbers();
        if (first.numbers().some((value, j) => value !== other[j])) {
          throw new UnsupportedModel(`weights of shape [${this.dims}] differ along axis ${axis}`);
        }
      }
    }
    return first;
  }

  get isInteger(): boolean {
    return this.type !== "FLOAT" && this.type !== "DOUBLE";
  }

  /** @param type "FLOAT", "INT32" or "INT64" */
  asType(type: string): Constant {
    if (type === this.type) return this;
    const values = this.numbers();
    return Constant.computed(this.dims, type, type === "FLOAT" ? values : values.map(Math.trunc));
  }

  /** Computes number by number. */
  map(of: (value: number) => number): Constant {
    return Constant.computed(this.dims, this.type, this.numbers().map(of));
  }

  /** Computes number by number with another constant, each repeated to the other's shape. */
  zip(other: Constant, of: (a: number, b: number) => number, type = this.type): Constant {
    if (other.type !== this.type) {
      throw new UnsupportedModel(`constants of types ${this.type} and ${other.type} meet`);
    }
    const dims = broadcast(...aligned(this.dims, other.dims));
    const [a, b] = [this.expand(dims).numbers(), other.expand(dims).numbers()];
    return Constant.computed(dims, type, a.map((value, i) => of(value, b[i]!)));
  }

  /** Number by number, one of two constants. */
  static choose(condition: Constant, yes: Constant, no: Constant): Constant {
    if (condition.type !== "BOOL") throw new UnsupportedModel(`${condition.type} is no condition`);
    const dims = yes.zip(no, () => 0).expand(condition.dims).dims;
    const [is, a, b] = [condition, yes, no].map((constant) => constant.expand(dims).numbers());
    return Constant.computed(dims, yes.type, is!.map((value, i) => value ? a![i]! : b![i]!));
  }

  static concat(parts: Constant[], axis: number): Constant {
    const first = parts[0]!;
    const besides = (dims: readonly number[]) => [dims.length, ...dims.toSpliced(axis, 1)].join();
    for (const { dims, type } of parts) {
      if (type !== first.type || besides(dims) !== besides(first.dims)) {
        throw new UnsupportedModel(`${type} [${dims}] is put after ${first.type} [${first.dims}]`);
      }
    }
    const outer = product(first.dims.slice(0, axis));
    const rows = parts.map((part) => part.numbers());
    const values = Array.from(
      { length: outer },
      (_, i) => rows.map((row) => row.slice(i * row.length / outer, (i + 1) * row.length / outer)),
    );
    const count = parts.reduce((sum, part) => sum + part.dims[axis]!, 0);
    return Constant.computed(first.dims.with(axis, count), first.type, values.flat(2));
  }

  private view(dims: readonly number[], strides: readonly number[], offset = this.offset) {
    return new Constant(dims, this.type, this.data, strides, offset);
  }

  private isRowByRow(): boolean {
    const expected = rowByRow(this.dims);
    return this.dims.every((dim, axis) => dim === 1 || this.strides[axis] === expected[axis]);
  }

  /** Copies all numbers row by row. */
  private copyTo<T extends Float32Array | Float64Array>(target: T): T {
    const { data, dims, strides } = this;
    let next = 0;
    const copyFrom = (axis: number, from: number) => {
      if (axis === dims.length) target[next++] = data[from]!;
      else {
        const [count, stride] = [dims[axis]!, strides[axis]!];
        for (let i = 0; i < count; i++) copyFrom(axis + 1, from + i * stride);
      }
    };
    copyFrom(0, this.offset);
    return target;
  }
}

export function product(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1);
}

function rowByRow(dims: readonly number[]): number[] {
  return dims.map((_, axis) => product(dims.slice(axis + 1)));
}

/** Both with 1s in front to have the same length. */
function aligned(a: readonly number[], b: readonly number[]): [number[], number[]] {
  const rank = Math.max(a.length, b.length);
  const pad = (dims: readonly number[]) => [...Array(rank - dims.length).fill(1), ...dims];
  return [pad(a), pad(b)];
}

function broadcast(a: readonly number[], b: readonly number[]): number[] {
  return a.map((dim, i) => {
    const other = b[i]!;
    if (dim !== other && dim !== 1 && other !== 1) {
      throw new UnsupportedModel(`shapes [${a}] and [${b}] don't go together`);
    }
    return dim === 1 ? other : dim;
  });
}
