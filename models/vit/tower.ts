/**
 * The two towers of CLIP as numbers, that of pictures (a vision transformer) and that of words: the
 * canonical form of their weights, which graphs are read into and encoders are made from.
 *
 * The names are those of the ViT paper (Dosovitskiy et al. 2020, arXiv 2010.11929, section 3.1) and of
 * CLIP (Radford et al. 2021, arXiv 2103.00020). With `x·L` for `x·L.weight + L.bias`, `N(x)` for layer
 * normalisation, and `d` for `width / heads`, the tower computes
 *
 * ```
 * z ← N_before([classToken; patches·patchEmbedding] + positions)
 * for each block:
 *   a ← N_1(z);  z ← z + concat over heads of softmax((a·query)(a·key)ᵀ / √d)(a·value) · output
 *   m ← N_2(z);  z ← z + activation(m·up)·down
 * embedding ← N_after(z of the class token)·projection
 * ```
 *
 * A tower of words differs in how it begins and which token it ends with; and a token looks only at
 * itself and those before it (Vaswani et al. 2017, arXiv 1706.03762, section 3.2.3), so that the last
 * one alone has seen the whole text:
 *
 * ```
 * z ← [tokenEmbedding of each token] + positions
 * blocks as above, without scores of later tokens
 * embedding ← N_after(z of the last token)·projection
 * ```
 *
 * `query` is not scaled beforehand: who computes applies the 1/√d. Embeddings are not normalised.
 * All numbers are float32, matrices row by row.
 *
 * @module
 */

/** What both towers are built of. */
export interface TransformerShape {
  /** Numbers a token has, a multiple of `heads`. */
  width: number;
  heads: number;
  /** Number of blocks, 1 or more. */
  layers: number;
  /** Width of the hidden layer between the two matrices of an MLP. */
  mlp: number;
  /** How many tokens have a position. */
  tokens: number;
  /** Numbers an embedding has. */
  embedding: number;
  activation: Activation;
  /** What every layer normalisation adds to the variance. */
  epsilon: number;
}

/** `tokens` are (imageSize / patch)² patches, row by row, and the class token before them. */
export interface ImageTowerShape extends TransformerShape {
  /** Pixels on a side of the picture, a multiple of `patch`. */
  imageSize: number;
  /** Pixels on a side of a patch; patches don't overlap. */
  patch: number;
}

/** `tokens` is how many a text may have. */
export interface TextTowerShape extends TransformerShape {
  /** How many different tokens there are; their numbers are 0 to one less. */
  vocabulary: number;
}

export type TowerShape = ImageTowerShape | TextTowerShape;

export function isTextShape(shape: TowerShape): shape is TextTowerShape {
  return "vocabulary" in shape;
}

/**
 * `quick_gelu` is x · sigmoid(1.702 x), `gelu` is x · Φ(x) = x · (1 + erf(x / √2)) / 2 (Hendrycks, Gimpel
 * 2016, arXiv 1606.08415, section 2).
 */
export type Activation = "quick_gelu" | "gelu";

/** y = x · weight. */
export interface Projection {
  inputs: number;
  outputs: number;
  /** [inputs][outputs] */
  weight: Float32Array;
}

/** y = x · weight + bias. */
export interface Linear extends Projection {
  /** [outputs] */
  bias: Float32Array;
}

/** y = (x − mean) / √(variance + epsilon) · gain + bias over the `width` numbers of a token. */
export interface Norm {
  /** [width] */
  gain: Float32Array;
  /** [width] */
  bias: Float32Array;
}

/** Attention, then the MLP, each after a normalisation and beside a residual connection. */
export interface Block {
  norm1: Norm;
  /** `width` → `width`; head h owns the columns from h · width / heads. So for key and value. */
  query: Linear;
  key: Linear;
  value: Linear;
  /** `width` → `width` */
  output: Linear;
  norm2: Norm;
  /** `width` → `mlp` */
  up: Linear;
  /** `mlp` → `width` */
  down: Linear;
}

export interface Transformer {
  shape: TransformerShape;
  /** [tokens][width] */
  positions: Float32Array;
  blocks: Block[];
  normAfter: Norm;
  /** `width` → `embedding` */
  projection: Projection;
}

/** The class token's position is the first. */
export interface ImageTower extends Transformer {
  shape: ImageTowerShape;
  /** 3 · patch² → `width`; a patch's numbers are ordered by channel, then row, then column. */
  patchEmbedding: Projection;
  /** [width] */
  classToken: Float32Array;
  normBefore: Norm;
}

export interface TextTower extends Transformer {
  shape: TextTowerShape;
  /** [vocabulary][width] */
  tokenEmbedding: Float32Array;
}

export type Tower = ImageTower | TextTower;

export function isTextTower(tower: Tower): tower is TextTower {
  return isTextShape(tower.shape);
}
