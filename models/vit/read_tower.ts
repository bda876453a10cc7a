/**
 * Reads image towers from ONNX files.
 *
 * A file has a graph of operators, and no two exporters write the same one for the same network. So the
 * graph is interpreted on symbolic tensors (graph_matching/interpret_graph.ts): each operator says what it
 * makes of what it meets, and refuses what a tower does not have. The expression of the output is then
 * taken apart into a tower's parts (graph_matching/match_tower.ts). Names mean nothing.
 *
 * @module
 */
import type { OnnxModel } from "./onnx/model.ts";
import { readModel } from "./onnx/read_model.ts";
import { matchTower } from "./graph_matching/match_tower.ts";
import { formatShape, isWhole, sizeOf } from "./graph_matching/axes.ts";
import { SymbolicTensor } from "./graph_matching/symbolic_tensor.ts";
import { type InterpretedGraph, interpretGraph } from "./graph_matching/interpret_graph.ts";
import type { ImageTower } from "./tower.ts";
import { UnsupportedModel } from "./unsupported_model.ts";

/**
 * Reads the image tower that an ONNX file computes: [n, 3, imageSize, imageSize] → [n, embedding].
 *
 * @param bytes the whole file. They are the tower's from here on: weights that lie in the file as in
 * the tower are not copied, and may be moved by up to 3 bytes, so that nobody else can read the file
 * @throws {UnsupportedModel} where that is not, wholly and certainly, what the file computes
 */
export function readTower(bytes: Uint8Array): ImageTower {
  return towerOf(readModel(bytes));
}

/** The same from a file that has been read. */
export function towerOf(model: OnnxModel): ImageTower {
  const interpreted = interpretGraph(model);
  const { tower, used } = matchTower(embeddingOf(interpreted, model.outputs).expression);
  const leftOver = interpreted.weights.find(({ constant }) => !used.has(constant.data));
  if (leftOver !== undefined) {
    throw new UnsupportedModel(
      `the weights "${leftOver.name}" ${
        formatShape(leftOver.constant.dims)
      } are no part of the tower`,
    );
  }
  return tower;
}

/** Of the outputs, the one that has one row a picture; some exports tell the tokens as well. */
function embeddingOf({ values }: InterpretedGraph, outputs: string[]): SymbolicTensor {
  const rows = outputs.map((name) => values.get(name)).filter((value) =>
    value instanceof SymbolicTensor && value.axes.length === 2 && isWhole(value.axes[1], "channel")
  ) as SymbolicTensor[];
  const [embedding, ...more] = rows;
  if (embedding === undefined || more.length > 0) {
    throw new UnsupportedModel(
      `${rows.length} of its outputs (${outputs.join(", ")}) have one row a picture, not one`,
    );
  }
  const [pictures] = embedding.axes;
  const isInOrder = isWhole(pictures, "picture") || sizeOf(pictures!) === 1;
  if (!isInOrder || embedding.factor !== 1) {
    throw new UnsupportedModel(`its output is scaled by ${embedding.factor}, or out of order`);
  }
  return embedding;
}
