/**
 * Matches a tower in the expression of its output, from the projection back to the patches.
 *
 * @module
 */
import type * as tower from "../tower.ts";
import { UnsupportedModel } from "../unsupported_model.ts";
import type { Constant } from "./constant.ts";
import type { Embedded, Expression, Linear, Norm, Projected } from "./expression.ts";

export interface MatchedTower {
  tower: tower.ImageTower;
  /** The numbers that the tower is made of. */
  used: Set<Constant["data"]>;
}

/** @throws {UnsupportedModel} where the parts are a tower's, but not put together as one */
export function matchTower(output: Expression): MatchedTower {
  const projection = expect(output, "projection", "the output");
  const normAfter = expect(projection.of, "layer normalisation", "what is projected");
  const pooled = expect(normAfter.of, "class token", "what is normalised last");
  const halves = blocksBefore(pooled.of);
  const normBefore = expect(halves.stream, "layer normalisation", "what goes into the first block");
  const embedded = expect(normBefore.of, "tokens with positions", "what is normalised first");

  const parts = new Parts();
  const blocks = halves.blocks.map((block) => parts.block(block));
  const shape: tower.ImageTowerShape = {
    ...sizesOf(embedded),
    heads: only("number of heads", halves.blocks.map(headsOf)),
    layers: blocks.length,
    mlp: only("width of the MLP", blocks.map(({ up }) => up.outputs)),
    embedding: projection.weight.dims[1]!,
    activation: only("activation", halves.blocks.map(({ activation }) => activation)),
    epsilon: only("epsilon of normalisation", [
      normBefore.epsilon,
      ...halves.blocks.flatMap(({ norm1, norm2 }) => [norm1.epsilon, norm2.epsilon]),
      normAfter.epsilon,
    ]),
  };
  requireWidth(shape.width, blocks);
  return {
    tower: {
      shape,
      patchEmbedding: parts.patchEmbedding(embedded),
      classToken: parts.numbers(embedded.tokens.classToken),
      positions: parts.numbers(embedded.positions),
      normBefore: parts.norm(normBefore),
      blocks,
      normAfter: parts.norm(normAfter),
      projection: parts.projection(projection),
    },
    used: parts.used,
  };
}

/** A block's expressions, by the names of the tower's parts. */
interface BlockExpressions {
  norm1: Norm;
  query: Linear;
  key: Linear;
  value: Linear;
  output: Linear;
  headWidth: number;
  norm2: Norm;
  up: Linear;
  down: Linear;
  activation: tower.Activation;
}

/** Goes back through residual connections. @returns the first block first, and what goes into it */
function blocksBefore(last: Expression): { blocks: BlockExpressions[]; stream: Expression } {
  const blocks: BlockExpressions[] = [];
  let stream = last;
  while (stream.kind === "residual sum") {
    const mlp = mlpOf(stream.branch, stream.stream);
    const between = expect(
      stream.stream,
      "residual sum",
      "what goes into an MLP's residual connection",
    );
    blocks.unshift({ ...attentionOf(between.branch, between.stream), ...mlp });
    stream = between.stream;
  }
  if (blocks.length === 0) throw new UnsupportedModel("it has no blocks of attention and MLP");
  return { blocks, stream };
}

function mlpOf(down: Linear, stream: Expression) {
  const activated = expect(down.of, "activation", "what goes into the last layer of an MLP");
  const up = expect(activated.of, "linear layer", "what goes into an activation");
  const norm2 = normOf(up, stream, "an MLP");
  return { norm2, up, down, activation: activated.by };
}

function attentionOf(output: Linear, stream: Expression) {
  const mixed = expect(output.of, "attention", "what goes into the last layer of attention");
  const { query, key, headWidth } = mixed.shares.of;
  const { value } = mixed;
  const norm1 = normOf(query, stream, "attention");
  if (key.of !== norm1 || value.of !== norm1) {
    throw new UnsupportedModel("query, key and value are of different inputs");
  }
  return { norm1, query, key, value, output, headWidth };
}

function normOf(layer: Linear, stream: Expression, what: string): Norm {
  const norm = expect(layer.of, "layer normalisation", `what goes into ${what}`);
  if (norm.of === stream) return norm;
  throw new UnsupportedModel(`${what} looks at something else than what its result is added to`);
}

function sizesOf({ tokens: { patches }, positions }: Embedded) {
  const [width, , patch] = patches.filters.dims as [number, number, number];
  const tokens = positions.dims[0]!;
  return { imageSize: Math.sqrt(tokens - 1) * patch, patch, width, tokens };
}

function headsOf({ query, headWidth }: BlockExpressions): number {
  return query.weight.dims[1]! / headWidth;
}

/** TowerShape has one number for all blocks. */
function only<T>(what: string, values: T[]): T {
  const [value, ...more] = new Set(values);
  if (more.length === 0) return value!;
  throw new UnsupportedModel(`its blocks differ in ${what}: ${[value, ...more].join(", ")}`);
}

function requireWidth(width: number, blocks: tower.Block[]): void {
  for (const { query, key, value, output } of blocks) {
    for (const { inputs, outputs } of [query, key, value, output]) {
      if (inputs !== width || outputs !== width) {
        throw new UnsupportedModel(
          `a layer of attention is ${inputs} × ${outputs} in a tower of width ${width}`,
        );
      }
    }
  }
}

function expect<K extends Expression["kind"]>(
  expression: Expression,
  kind: K,
  what: string,
): Extract<Expression, { kind: K }> {
  if (expression.kind === kind) return expression as Extract<Expression, { kind: K }>;
  throw new UnsupportedModel(`${what} is ${expression.kind}, where a tower has ${kind}`);
}

/** Makes the tower's parts of expressions, and remembers which numbers went into them. */
class Parts {
  readonly used = new Set<Constant["data"]>();

  numbers(constant: Constant): Float32Array {
    this.used.add(constant.data);
    return constant.float32();
  }

  norm({ gain, bias }: Norm): tower.Norm {
    return { gain: this.numbers(gain), bias: this.numbers(bias) };
  }

  projection({ weight }: Projected | Linear): tower.Projection {
    const [inputs, outputs] = weight.dims as [number, number];
    return { inputs, outputs, weight: this.numbers(weight) };
  }

  linear(expression: Linear): tower.Linear {
    return { ...this.projection(expression), bias: this.numbers(expression.bias) };
  }

  patchEmbedding({ tokens: { patches: { filters } } }: Embedded): tower.Projection {
    const [width, ...inputs] = filters.dims as [number, number, number, number];
    const patchLength = inputs.reduce((length, size) => length * size);
    const weight = filters.reshape([width, patchLength]).transpose([1, 0]);
    return { inputs: patchLength, outputs: width, weight: this.numbers(weight) };
  }

  block(expressions: BlockExpressions): tower.Block {
    return {
      norm1: this.norm(expressions.norm1),
      query: this.linear(expressions.query),
      key: this.linear(expressions.key),
      value: this.linear(expressions.value),
      output: this.linear(expressions.output),
      norm2: this.norm(expressions.norm2),
      up: this.linear(expressions.up),
      down: this.linear(expressions.down),
    };
  }
}
