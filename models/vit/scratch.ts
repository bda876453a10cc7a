/**
 * What an encoder needs besides the weights, for up to `maxBatch` pictures at a time, or texts: where
 * these and whatever becomes of them lie.
 *
 * @module
 */
import { type Address, PANEL } from "./kernels/kernels.ts";
import { Allotment, depthOf, MAX_OUTLIERS } from "./packing/layout.ts";
import { isTextShape, type TowerShape } from "./tower.ts";

export interface Scratch {
  /** [batch][3][imageSize][imageSize]; of a tower of words nothing */
  pixels: Address;
  /** z of the paper, [batch · tokens][width]. */
  stream: Address;
  /** Of the stream, then what attention makes of it: [batch · tokens][width]. */
  normed: Address;
  /** Of the tokens alone that embeddings are made of: [batch][width]. */
  pooled: Address;
  /**
   * One after the other: a picture's patches [patches][depth]; queries, keys and values
   * [batch · tokens][3 · width]; the hidden layer of the MLP [batch · tokens][mlp].
   */
  wide: Address;
  /** Of one head: panels of keys and of values, and [tokens][scoreStride] scores. */
  keys: Address;
  values: Address;
  scores: Address;
  scoreStride: number;
  /** [batch][embedding] */
  embeddings: Address;
  quantised: QuantisedRows;
  /** The first byte behind it. */
  end: Address;
}

/** Activations as `quantise` leaves them. */
export interface QuantisedRows {
  /** [rows][depth] bytes */
  rows: Address;
  /** [rows] */
  scales: Address;
  /** [rows] */
  zeros: Address;
  /** [rows][outliers], float32 */
  outliers: Address;
}

export function layOutScratch(shape: TowerShape, maxBatch: number, start: Address): Scratch {
  const { width, heads, mlp, tokens, embedding } = shape;
  const allotment = new Allotment(start);
  const rows = maxBatch * tokens;
  const [pixelNumbers, patchNumbers] = isTextShape(shape)
    ? [0, 0]
    : [3 * shape.imageSize ** 2, (tokens - 1) * depthOf(3 * shape.patch ** 2)];
  const scoreStride = Math.ceil(tokens / PANEL) * PANEL;
  return {
    pixels: allotment.words(maxBatch * pixelNumbers),
    stream: allotment.words(rows * width),
    normed: allotment.words(rows * width),
    pooled: allotment.words(maxBatch * width),
    wide: allotment.words(Math.max(patchNumbers, rows * 3 * width, rows * mlp)),
    keys: allotment.words(scoreStride * width / heads),
    values: allotment.words(tokens * width / heads),
    scores: allotment.words(tokens * scoreStride),
    scoreStride,
    embeddings: allotment.words(maxBatch * embedding),
    quantised: {
      rows: allotment.bytes(Math.max(patchNumbers, rows * width, rows * mlp)),
      scales: allotment.words(rows),
      zeros: allotment.words(rows),
      outliers: allotment.words(rows * MAX_OUTLIERS),
    },
    end: allotment.end,
  };
}
