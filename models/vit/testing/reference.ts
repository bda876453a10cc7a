/**
 * The tower computed plainly, number by number in float64: slow, and the reference for the
 * faster ones. Read it together with the ViT paper (Dosovitskiy et al. 2020, section 3.1).
 *
 * @module
 */
import type {
  Activation,
  Block,
  ImageTower,
  Linear,
  Norm,
  Projection,
  TextTower,
  Transformer,
} from "../tower.ts";

type Vector = number[];
/** Row by row. */
type Matrix = Vector[];

/**
 * @param picture [3][imageSize][imageSize], normalised as the tower expects it
 * @returns the embedding, not normalised
 */
export function embedPlainly(tower: ImageTower, picture: ArrayLike<number>): Vector {
  const { shape, normBefore } = tower;
  const z = tokensOf(tower, picture).map((token) => normalise(token, normBefore, shape.epsilon));
  return transform(tower, z, (all) => all)[0]!;
}

/**
 * @param tokens numbers of a text's tokens
 * @returns the embedding, not normalised
 */
export function embedTextPlainly(tower: TextTower, tokens: readonly number[]): Vector {
  const { shape: { width }, tokenEmbedding, positions } = tower;
  const row = (matrix: Float32Array, i: number) =>
    Array.from(matrix.subarray(i * width, (i + 1) * width));
  const z = tokens.map((token, t) => plus(row(tokenEmbedding, token), row(positions, t)));
  return transform(tower, z, (all, t) => all.slice(0, t + 1)).at(-1)!;
}

/** @param seen which of all tokens token t looks at */
function transform(
  { shape, blocks, normAfter, projection }: Transformer,
  z: Matrix,
  seen: (all: Matrix, t: number) => Matrix,
): Matrix {
  const norm = (x: Vector, weights: Norm) => normalise(x, weights, shape.epsilon);
  for (const block of blocks) {
    const attended = attend(z.map((token) => norm(token, block.norm1)), block, shape.heads, seen);
    z = z.map((token, t) => plus(token, attended[t]!));
    z = z.map((token) => plus(token, mlp(norm(token, block.norm2), block, shape.activation)));
  }
  return z.map((token) => times(norm(token, normAfter), projection));
}

/** The class token and the patches' embeddings, each at its position (equation 1). */
function tokensOf(tower: ImageTower, picture: ArrayLike<number>): Matrix {
  const { shape: { imageSize, patch, width }, patchEmbedding, classToken, positions } = tower;
  const tokens: Matrix = [Array.from(classToken)];
  for (let top = 0; top < imageSize; top += patch) {
    for (let left = 0; left < imageSize; left += patch) {
      const pixels: Vector = [];
      for (let channel = 0; channel < 3; channel++) {
        for (let row = top; row < top + patch; row++) {
          for (let column = left; column < left + patch; column++) {
            pixels.push(picture[(channel * imageSize + row) * imageSize + column]!);
          }
        }
      }
      tokens.push(times(pixels, patchEmbedding));
    }
  }
  return tokens.map((token, t) => plus(token, positions.subarray(t * width, (t + 1) * width)));
}

/** Multi-head self-attention (appendix A, equations 5 to 8; with biases). */
function attend(
  tokens: Matrix,
  block: Block,
  heads: number,
  seen: (all: Matrix, t: number) => Matrix,
): Matrix {
  const queries = tokens.map((token) => linear(token, block.query));
  const keys = tokens.map((token) => linear(token, block.key));
  const values = tokens.map((token) => linear(token, block.value));
  const headWidth = block.query.outputs / heads;
  return queries.map((query, t) => {
    const [seenKeys, seenValues] = [seen(keys, t), seen(values, t)];
    const mixed: Vector = [];
    for (let head = 0; head < heads; head++) {
      const own = (vector: Vector) => vector.slice(head * headWidth, (head + 1) * headWidth);
      const scores = seenKeys.map((key) => dot(own(query), own(key)) / Math.sqrt(headWidth));
      const shares = softmax(scores);
      for (let i = 0; i < headWidth; i++) {
        mixed.push(dot(shares, seenValues.map((v) => own(v)[i]!)));
      }
    }
    return linear(mixed, block.output);
  });
}

function mlp(token: Vector, { up, down }: Block, activation: Activation): Vector {
  return linear(linear(token, up).map(ACTIVATIONS[activation]), down);
}

const ACTIVATIONS: Readonly<Record<Activation, (x: number) => number>> = {
  quick_gelu: (x) => x / (1 + Math.exp(-1.702 * x)),
  gelu: (x) => x * (1 + erf(x / Math.SQRT2)) / 2,
};

/**
 * The error function to 1e-15 or so: its Taylor series 2/√π · Σ (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)) where that
 * converges fast without cancelling, beyond that 1 less the continued fraction of erfc (Abramowitz,
 * Stegun 1964, 7.1.5 and 7.1.14).
 */
export function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x < 2) {
    let [sum, term] = [x, x];
    for (let n = 1; Math.abs(term) > 1e-17; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }
  let fraction = x;
  for (let n = 100; n > 0; n--) fraction = x + n / 2 / fraction;
  return 1 - Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}

function softmax(scores: Vector): Vector {
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((total, power) => total + power);
  return powers.map((power) => power / sum);
}

function normalise(x: Vector, { gain, bias }: Norm, epsilon: number): Vector {
  const mean = x.reduce((sum, value) => sum + value) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  const deviation = Math.sqrt(variance + epsilon);
  return x.map((value, i) => (value - mean) / deviation * gain[i]! + bias[i]!);
}

function linear(x: Vector, layer: Linear): Vector {
  return plus(times(x, layer), layer.bias);
}

function times(x: Vector, { outputs, weight }: Projection): Vector {
  const y = new Array<number>(outputs).fill(0);
  x.forEach((value, i) => {
    for (let o = 0; o < outputs; o++) y[o]! += value * weight[i * outputs + o]!;
  });
  return y;
}

function plus(a: Vector, b: ArrayLike<number>): Vector {
  return a.map((value, i) => value + b[i]!);
}

function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
