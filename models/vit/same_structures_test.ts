import assert from "node:assert/strict";
import type { OnnxModel, OnnxNode } from "./onnx/model.ts";
import { readModel } from "./onnx/read_model.ts";
import { towerOf } from "./read_tower.ts";
import { exportedTower } from "./testing/exported_towers.ts";
import { insertAfter, isMade, makerOf, nth } from "./testing/tampering.ts";

/** Asserts that a tower is read as the same after a change, which must change something. */
function readsTheSame(name: string, change: (model: OnnxModel) => void): void {
  const model = readModel(exportedTower(name));
  const before = towerOf(model);
  const nodes = structuredClone(model.nodes);
  change(model);
  assert.notDeepEqual(model.nodes, nodes);
  assert.deepEqual(towerOf(model), before);
}

function nodesOf({ nodes }: OnnxModel, op: string): OnnxNode[] {
  return nodes.filter((node) => node.op === op);
}

Deno.test("sums and products may have their operands in either order", () => {
  readsTheSame("separate_11_folded", (model) => {
    for (const op of ["Add", "Mul"]) {
      for (const { inputs } of nodesOf(model, op)) inputs.reverse();
    }
  });
});

Deno.test("nodes that do nothing are passed through", () => {
  readsTheSame("fused_13_folded_gelu", (model) => {
    for (const { op, outputs } of [...model.nodes]) {
      if (op !== "Constant" && !model.outputs.includes(outputs[0]!)) {
        insertAfter(model, outputs[0]!, { op: "Identity" });
      }
    }
  });
});

Deno.test("fused query, key and value may be split by one node", () => {
  readsTheSame("fused_17_folded", (model) => {
    for (const linear of nodesOf(model, "Add").map(({ outputs }) => outputs[0]!)) {
      const slices = nodesOf(model, "Slice").filter(({ inputs }) => inputs[0] === linear);
      if (slices.length !== 3) continue;
      const outputs = slices.map(({ outputs }) => outputs[0]!);
      const split = new Map([["axis", 2]]);
      const at = model.nodes.indexOf(slices[0]!);
      model.nodes[at] = { op: "Split", domain: "", inputs: [linear], outputs, attributes: split };
      model.nodes = model.nodes.filter((node) => !slices.includes(node));
    }
    assert.ok(nodesOf(model, "Split").length > 0);
  });
});

Deno.test("a square by multiplying is one by raising to a power", () => {
  readsTheSame("separate_11_folded", (model) => {
    for (const node of nodesOf(model, "Pow").filter(({ inputs }) => isMade(model, inputs[0]!))) {
      if (makerOf(model, node.inputs[0]!).op !== "Sub") continue;
      Object.assign(node, { op: "Mul", inputs: [node.inputs[0], node.inputs[0]] });
    }
  });
});

Deno.test("GELU may be one operator", () => {
  readsTheSame("separate_13_folded_gelu", (model) => {
    for (const erf of nodesOf(model, "Erf")) {
      const linear = makerOf(model, erf.inputs[0]!).inputs[0]!;
      // x · (1 + erf(x / √2)), which the next node halves.
      const product = model.nodes.find(({ op, inputs }) => op === "Mul" && inputs[0] === linear)!;
      const halved = model.nodes.find(({ inputs }) => inputs.includes(product.outputs[0]!))!;
      Object.assign(halved, { op: "Gelu", inputs: [linear] });
    }
  });
});

Deno.test("constants may be attributes that are no tensors", () => {
  readsTheSame("separate_13_folded_gelu", (model) => {
    for (const { attributes } of nodesOf(model, "Constant")) {
      const value = attributes.get("value");
      assert.ok(value !== null && typeof value === "object" && "data" in value!);
      const numbers = [...value.data!];
      attributes.clear();
      if (value.dims.length > 0) attributes.set("value_ints", numbers);
      else attributes.set(value.type === "FLOAT" ? "value_float" : "value_int", numbers[0]!);
    }
  });
});

Deno.test("attributes may say what they mean anyway", () => {
  readsTheSame("separate_14_folded_open", (model) => {
    for (const { attributes } of nodesOf(model, "Reshape")) attributes.set("allowzero", 1);
    nth(model, "Conv").attributes.set("auto_pad", "VALID");
    for (const { attributes } of nodesOf(model, "ReduceMean")) attributes.set("keepdims", 1);
    for (const { attributes } of nodesOf(model, "Softmax")) attributes.set("axis", -1);
  });
});
