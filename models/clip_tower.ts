/**
 * CLIP's image tower as an ONNX file with seeded weights: it is like the real one in everything but
 * its weights. It serves for tests and trials where the real one can't be fetched, and for measuring
 * speed.
 *
 * @module
 */
import { seededWeights, tokenCount, type TowerShape } from "./clip_weights.ts";
import { QuantisedGraph } from "./dynamic_quantisation.ts";
import { encodeModel } from "./onnx.ts";
import { Graph } from "./tower_graph.ts";

/**
 * The tower of the model `clip-vit-b-32-fixture`: a quarter as wide as ViT-B/32 (768, 12 layers, 12
 * heads, MLP 3072), a third as deep, and otherwise the same.
 */
export const FIXTURE: TowerShape = {
  imageSize: 224,
  patchSize: 32,
  width: 192,
  layers: 4,
  heads: 3,
  mlpWidth: 768,
  embeddingSize: 512,
};

/** ViT-B/32 itself (Radford et al. 2021, table 20): as slow and as large as the real tower. */
export const VIT_B_32: TowerShape = {
  imageSize: 224,
  patchSize: 32,
  width: 768,
  layers: 12,
  heads: 12,
  mlpWidth: 3072,
  embeddingSize: 512,
};

/** Writes the towers that are models of their own, by their names. */
export const TOWERS: Readonly<Record<string, () => Uint8Array>> = {
  "clip-vit-b-32-fixture": () => writeClipTower(FIXTURE),
  "clip-vit-b-32-seeded": () => writeClipTower(VIT_B_32),
  "clip-vit-b-32-seeded-int8": () => writeQuantisedClipTower(VIT_B_32),
};

/** The day CLIP's paper came out. */
const SEED = 20210226;
/** LayerNormalization came with 17. */
const OPSET = 17;
/** Its quick GELU is x · sigmoid(1.702 x) (Hendrycks, Gimpel 2016, section 2). */
const QUICK_GELU_SLOPE = 1.702;

/**
 * Writes a tower: `pixel_values` [n, 3, imageSize, imageSize] → `image_embeds` [n, embeddingSize].
 *
 * @returns the ONNX file, the same to the byte for the same shape and seed
 */
export function writeClipTower(shape: TowerShape, seed = SEED): Uint8Array {
  return writeGraph(shape, new Graph(seededWeights(shape, seed)));
}

/** The same tower as {@link writeClipTower} writes, quantised dynamically: see `dynamic_quantisation.ts`. */
export function writeQuantisedClipTower(shape: TowerShape, seed = SEED): Uint8Array {
  return writeGraph(shape, new QuantisedGraph(seededWeights(shape, seed)));
}

function writeGraph(shape: TowerShape, graph: Graph): Uint8Array {
  const tokens = embedPatches(graph, shape);
  let stream = graph.layerNorm("vision_model.pre_layrnorm", tokens);
  for (let layer = 0; layer < shape.layers; layer++) {
    const name = `vision_model.encoder.layers.${layer}`;
    stream = graph.add("Add", [stream, attend(graph, shape, name, stream)]);
    stream = graph.add("Add", [stream, mlp(graph, name, stream)]);
  }
  const first = graph.integers("class_token_index", [], [0]);
  const classToken = graph.add("Gather", [stream, first], { axis: { int: 1 } });
  const pooled = graph.layerNorm("vision_model.post_layernorm", classToken);
  graph.product(pooled, "visual_projection.weight", "image_embeds");
  return encodeModel({
    opset: OPSET,
    name: "clip_image_tower",
    description: "CLIP's image tower with seeded weights: what it computes means nothing",
    inputs: [{ name: "pixel_values", shape: ["n", 3, shape.imageSize, shape.imageSize] }],
    outputs: [{ name: "image_embeds", shape: ["n", shape.embeddingSize] }],
    nodes: graph.nodes,
    initializers: graph.initializers,
  });
}

/** pixel_values → tokens [n, 1 + patches, width], the class token first. */
function embedPatches(graph: Graph, { patchSize, width }: TowerShape): string {
  const name = "vision_model.embeddings";
  const grid = graph.add("Conv", ["pixel_values", `${name}.patch_embedding.weight`], {
    kernel_shape: { ints: [patchSize, patchSize] },
    strides: { ints: [patchSize, patchSize] },
  });
  const patches = graph.transpose(graph.reshape(grid, [0, width, -1]), [0, 2, 1]);
  const batch = graph.add("Shape", ["pixel_values"], { start: { int: 0 }, end: { int: 1 } });
  const oneToken = graph.integers("one_token", [2], [1, width]);
  const classShape = graph.add("Concat", [batch, oneToken], { axis: { int: 0 } });
  const classToken = graph.add("Expand", [`${name}.class_embedding`, classShape]);
  const tokens = graph.add("Concat", [classToken, patches], { axis: { int: 1 } });
  return graph.add("Add", [tokens, `${name}.position_embedding.weight`]);
}

/** Multi-head self-attention over stream [n, tokens, width]; the same shape comes out. */
function attend(graph: Graph, shape: TowerShape, layer: string, stream: string): string {
  const { width, heads } = shape;
  const headWidth = width / heads;
  const normed = graph.layerNorm(`${layer}.layer_norm1`, stream);
  const project = (which: string, perm: number[]) => {
    const all = graph.linear(`${layer}.self_attn.${which}_proj`, normed);
    return graph.transpose(graph.reshape(all, [0, tokenCount(shape), heads, headWidth]), perm);
  };
  const query = project("q", [0, 2, 1, 3]); // [n, heads, tokens, headWidth]
  const key = project("k", [0, 2, 3, 1]); // [n, heads, headWidth, tokens]
  const value = project("v", [0, 2, 1, 3]);
  const scale = graph.scalar("attention_scale", 1 / Math.sqrt(headWidth));
  const scores = graph.add("Mul", [graph.add("MatMul", [query, key]), scale]);
  const shares = graph.add("Softmax", [scores], { axis: { int: -1 } });
  const mixed = graph.transpose(graph.add("MatMul", [shares, value]), [0, 2, 1, 3]);
  return graph.linear(`${layer}.self_attn.out_proj`, graph.reshape(mixed, [0, 0, width]));
}

/** The MLP over stream [n, tokens, width]; the same shape comes out. */
function mlp(graph: Graph, layer: string, stream: string): string {
  const normed = graph.layerNorm(`${layer}.layer_norm2`, stream);
  const hidden = graph.linear(`${layer}.mlp.fc1`, normed);
  const slope = graph.scalar("quick_gelu_slope", QUICK_GELU_SLOPE);
  const gate = graph.add("Sigmoid", [graph.add("Mul", [hidden, slope])]);
  return graph.linear(`${layer}.mlp.fc2`, graph.add("Mul", [hidden, gate]));
}
