/**
 * What is computed at each step of a tower, without how it is laid out: the operators build these
 * expressions one from another, and in the end they spell the tower.
 *
 * @module
 */
import type { Activation } from "../tower.ts";
import type { Constant } from "./constant.ts";

export type Expression =
  | Picture
  | Patches
  | Tokens
  | Embedded
  | Moment
  | Normalised
  | Scaled
  | Norm
  | Projected
  | Linear
  | Gate
  | Activated
  | Scores
  | Shares
  | Mixed
  | Sum
  | FirstToken;

/** What goes in. */
export interface Picture {
  kind: "picture";
}

/** The picture's patches times the filters [width, 3, patch, patch]. */
export interface Patches {
  kind: "patches";
  filters: Constant;
}

/** Patches, and the class token [width] before them. */
export interface Tokens {
  kind: "tokens";
  patches: Patches;
  classToken: Constant;
}

/** Tokens plus positions [tokens, width]. */
export interface Embedded {
  kind: "tokens with positions";
  tokens: Tokens;
  positions: Constant;
}

/**
 * The steps of a layer normalisation over channels, as some exporters write them: the mean, the
 * difference from it, its square, the variance, the variance plus epsilon, and the root of that.
 */
export type Moment =
  | { kind: "mean" | "centred" | "squared" | "variance"; of: Expression }
  | { kind: "shifted variance" | "deviation"; of: Expression; epsilon: number };

/** (of − mean) / √(variance + epsilon). */
export interface Normalised {
  kind: "normalised";
  of: Expression;
  epsilon: number;
}

/** Normalised, times gain [width]. */
export interface Scaled {
  kind: "normalised · gain";
  of: Normalised;
  gain: Constant;
}

/** A whole layer normalisation: scaled, plus bias [width]. */
export interface Norm {
  kind: "layer normalisation";
  of: Expression;
  epsilon: number;
  gain: Constant;
  bias: Constant;
}

/** of · weight, [inputs, outputs]. */
export interface Projected {
  kind: "projection";
  of: Expression;
  weight: Constant;
}

/** of · weight + bias. */
export interface Linear {
  kind: "linear layer";
  of: Expression;
  weight: Constant;
  bias: Constant;
}

/** sigmoid(slope · of), erf(slope · of), or 1 + erf(slope · of). */
export interface Gate {
  kind: "sigmoid" | "erf" | "1 + erf";
  of: Expression;
  slope: number;
}

export interface Activated {
  kind: "activation";
  of: Expression;
  by: Activation;
}

/** Each head's query · keyᵀ, not scaled. */
export interface Scores {
  kind: "scores";
  query: Linear;
  key: Linear;
  headWidth: number;
}

/** softmax(scores / √headWidth) over keys. */
export interface Shares {
  kind: "shares";
  of: Scores;
}

/** Each head's shares · value. */
export interface Mixed {
  kind: "attention";
  shares: Shares;
  value: Linear;
}

/** A residual connection. */
export interface Sum {
  kind: "residual sum";
  stream: Expression;
  branch: Linear;
}

/** What the class token became. */
export interface FirstToken {
  kind: "class token";
  of: Expression;
}
