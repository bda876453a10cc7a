/**
 * Writes a tower's weights to where the kernels look for them.
 *
 * @module
 */
import type { Address } from "../kernels/kernels.ts";
import {
  type Block,
  isTextTower,
  type Linear,
  type Norm,
  type Projection,
  type Tower,
} from "../tower.ts";
import {
  linearsOf,
  MAX_OUTLIERS,
  type PackedLinear,
  type PackedNorm,
  type PackedTower,
} from "./layout.ts";
import { writeFloatPanels, writeIntegerPanels } from "./panels.ts";
import { quantiseWeights } from "./quantise_weights.ts";

/**
 * @param memory of nothing but zeros where the tower will lie
 * @param ranges with int8: of each linear layer, in the order of {@link linearsOf}, how large its
 *   inputs are, [inputs]
 */
export function packTower(
  tower: Tower,
  packed: PackedTower,
  memory: WebAssembly.Memory,
  ranges: Float32Array[] = [],
): void {
  const floats = (address: Address, count: number) =>
    new Float32Array(memory.buffer, address, count);
  const packNorm = ({ gain, bias }: Norm, to: PackedNorm) => {
    floats(to.gain, gain.length).set(gain);
    floats(to.bias, bias.length).set(bias);
  };

  const packedPositions = floats(packed.positions, tower.positions.length);
  packedPositions.set(tower.positions);
  if (!isTextTower(tower)) {
    tower.classToken.forEach((number, i) => packedPositions[i]! += number);
    packNorm(tower.normBefore, packed.patches!.normBefore);
  }
  packNorm(tower.normAfter, packed.normAfter);
  tower.blocks.forEach(({ norm1, norm2 }, i) => {
    packNorm(norm1, packed.blocks[i]!.norm1);
    packNorm(norm2, packed.blocks[i]!.norm2);
  });

  const { heads } = tower.shape;
  const linears: (Projection | Linear)[] = [
    ...isTextTower(tower) ? [] : [tower.patchEmbedding],
    ...tower.blocks.flatMap((block) => [
      joinAttention(block, heads),
      block.output,
      block.up,
      block.down,
    ]),
    tower.projection,
  ];
  for (const to of linearsOf(packed)) {
    const linear = linears[to.index]!;
    if ("bias" in linear) floats(to.bias, to.outputs).set(linear.bias);
    if (to.quantised === null) {
      writeFloatPanels(linear, to.depth, floats(to.panels, to.depth * to.outputs));
    } else {
      packQuantised(linear, to, memory, ranges[to.index]!);
    }
  }
}

function packQuantised(
  linear: Projection,
  { depth, outputs, panels, quantised }: PackedLinear,
  { buffer }: WebAssembly.Memory,
  ranges: Float32Array,
): void {
  const { integers, scales, sums, balance, outliers } = quantiseWeights(linear, ranges);
  writeIntegerPanels(integers, outputs, depth, new Int8Array(buffer, panels, depth * outputs));
  const to = quantised!;
  new Float32Array(buffer, to.scales, outputs).set(scales);
  new Int32Array(buffer, to.sums, outputs).set(sums);
  new Float32Array(buffer, to.balance, depth).set(balance);
  new Int32Array(buffer, to.outliers, 1 + MAX_OUTLIERS).set([outliers.length, ...outliers]);
  const outlierPanels = new Float32Array(buffer, to.outlierPanels, MAX_OUTLIERS * outputs);
  writeFloatPanels(rowsOf(linear, outliers), MAX_OUTLIERS, outlierPanels);
}

/** Some inputs of a matrix alone. */
function rowsOf({ outputs, weight }: Projection, inputs: Int32Array): Projection {
  const rows = new Float32Array(inputs.length * outputs);
  inputs.forEach((k, row) => {
    rows.set(weight.subarray(k * outputs, (k + 1) * outputs), row * outputs);
  });
  return { inputs: inputs.length, outputs, weight: rows };
}

/** Query, key and value as one matrix; 1 / √(width of a head) of attention is in the query's weights. */
function joinAttention({ query, key, value }: Block, heads: number): Linear {
  const { inputs, outputs } = query;
  const scale = 1 / Math.sqrt(outputs / heads);
  const weight = new Float32Array(inputs * 3 * outputs);
  for (let k = 0; k < inputs; k++) {
    [query, key, value].forEach((part, i) => {
      const row = part.weight.subarray(k * outputs, (k + 1) * outputs);
      weight.set(part === query ? row.map((number) => number * scale) : row, (3 * k + i) * outputs);
    });
  }
  const bias = Float32Array.from([
    ...query.bias.map((number) => number * scale),
    ...key.bias,
    ...value.bias,
  ]);
  return { inputs, outputs: 3 * outputs, weight, bias };
}
