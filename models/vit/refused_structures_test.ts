import assert from "node:assert/strict";
import { writeClipTower } from "../clip_tower.ts";
import type { OnnxModel, OnnxNode } from "./onnx/model.ts";
import { readModel } from "./onnx/read_model.ts";
import { exportedTower } from "./testing/exported_towers.ts";
import {
  constantOf,
  floats,
  insertAfter,
  isMade,
  makerOf,
  nth,
  refuses,
  replace,
} from "./testing/tampering.ts";

/** Normalisation step by step, quick GELU, heads folded into the batch. */
const quick = () => exportedTower("separate_11_folded");
/** The same with GELU. */
const gelu = () => exportedTower("separate_13_folded_gelu");
/** LayerNormalization as one operator, torch's own attention with tokens before pictures. */
const fused = () => exportedTower("fused_17_folded");
/** The same for two pictures, with all shapes as constants. */
const fixed = () => exportedTower("fused_14_folded_fixed");
/** This project's own, with heads as an axis. */
const generated = () =>
  writeClipTower({
    imageSize: 8,
    patchSize: 4,
    width: 6,
    layers: 2,
    heads: 2,
    mlpWidth: 10,
    embeddingSize: 5,
  });

Deno.test("an operator too many is refused where it stands", () => {
  refuses(quick(), /Relu \(output ".*"\): a tower has no such operator/, (model) => {
    insertAfter(model, nth(model, "Softmax").inputs[0]!, { op: "Relu" });
  });
});

Deno.test("a layer too many is refused", () => {
  const reason = /what is normalised last is layer normalisation, where a tower has class token/;
  refuses(fused(), reason, (model) => {
    const { op, inputs: [, gain, bias], outputs, attributes } = nth(
      model,
      "LayerNormalization",
      -1,
    );
    insertAfter(model, outputs[0]!, { op, more: [gain!, bias!], attributes });
  });
  refuses(quick(), /what is projected is projection, where a tower has layer norm/, (model) => {
    model.initializers.set("another", floats([12, 12]));
    const [output] = model.outputs;
    insertAfter(model, output!, { op: "MatMul", more: ["another"] });
    model.outputs = [`${output} MatMul`];
  });
});

Deno.test("another activation is refused", () => {
  refuses(quick(), /x · sigmoid\(1.5 x\) is neither quick GELU/, (model) => {
    const scaled = makerOf(model, nth(model, "Sigmoid").inputs[0]!);
    constantOf(model, scaled.inputs.find((input) => !isMade(model, input))!).data![0] = 1.5;
  });
  refuses(gelu(), /x · 1 \+ erf\(1 x\) is neither/, (model) => {
    const divided = makerOf(model, nth(model, "Erf").inputs[0]!);
    constantOf(model, divided.inputs[1]!).data![0] = 1;
  });
  refuses(gelu(), /Tanh \(output ".*"\): a tower has no such operator/, (model) => {
    nth(model, "Erf").op = "Tanh";
  });
});

Deno.test("half an activation, or twice one, is refused", () => {
  refuses(gelu(), /MatMul .*: its input \(activation\) is scaled by 2/, (model) => {
    const product = model.nodes.find(({ op, inputs }) =>
      op === "Mul" && inputs.some((input) => input.includes("Constant_2"))
    )!;
    constantOf(model, product.inputs[1]!).data![0] = 1;
  });
});

Deno.test("blocks with different activations are refused", () => {
  refuses(quick(), /its blocks differ in activation: quick_gelu, gelu/, (model) => {
    const gate = nth(model, "Sigmoid", 1);
    const product = model.nodes.find(({ inputs }) => inputs.includes(gate.outputs[0]!))!;
    const linear = product.inputs.find((input) => input !== gate.outputs[0])!;
    Object.assign(product, { op: "Gelu", inputs: [linear] });
  });
});

Deno.test("a normalisation over another axis is refused", () => {
  refuses(fused(), /LayerNormalization .*: it normalises from axis 1, not the last/, (model) => {
    nth(model, "LayerNormalization", 1).attributes.set("axis", 1);
  });
  refuses(quick(), /ReduceMean .*: it means over axes 1, not over the channels/, (model) => {
    nth(model, "ReduceMean", 2).attributes.set("axes", [1]);
  });
  refuses(quick(), /ReduceMean .*: its keepdims is 0, where a tower has 1/, (model) => {
    nth(model, "ReduceMean", 2).attributes.set("keepdims", 0);
  });
});

Deno.test("normalisations with different epsilons are refused", () => {
  refuses(fused(), /its blocks differ in epsilon of normalisation/, (model) => {
    nth(model, "LayerNormalization", 1).attributes.set("epsilon", 1e-6);
  });
});

Deno.test("attention with a mask is refused", () => {
  refuses(quick(), /Add .*: scores get a mask of shape \[10, 10\]/, (model) => {
    model.initializers.set("mask", floats([10, 10], -Infinity));
    insertAfter(model, nth(model, "Softmax").inputs[0]!, { op: "Add", more: ["mask"] });
  });
});

Deno.test("attention with another scale is refused", () => {
  refuses(fixed(), /Softmax .*: scores are scaled by 0.333.*, not 1 \/ √8/, (model) => {
    const scores = makerOf(model, nth(model, "Softmax").inputs[0]!);
    const query = makerOf(model, scores.inputs[0]!);
    assert.equal(query.op, "Div");
    constantOf(model, query.inputs[1]!).data![0] = 3;
  });
});

Deno.test("attention along another axis is refused", () => {
  const reason = /a softmax of scores \[2 · n, 10, 10\] is taken along axis 1/;
  refuses(quick(), reason, (model) => nth(model, "Softmax").attributes.set("axis", 1));
});

Deno.test("attention between pictures instead of tokens is refused", () => {
  const reason =
    /MatMul .*: linear layer \[20, 2, 8\] and linear layer \[20, 8, 2\] are multiplied/;
  refuses(fixed(), reason, (model) => {
    // Without it, pictures stand where torch's attention expects tokens.
    const tokensFirst = nth(model, "Transpose", 1);
    assert.deepEqual(tokensFirst.attributes.get("perm"), [1, 0, 2]);
    replace(model, tokensFirst.outputs[0]!, tokensFirst.inputs[0]!);
    for (const { op, inputs } of model.nodes) {
      if (op !== "Reshape") continue;
      const shape = constantOf(model, inputs[1]!).data!;
      if (shape.join() === "10,4,8") shape.set([2, 20, 8]);
      if (shape.join() === "10,2,16") shape.set([2, 10, 16]);
    }
  });
});

Deno.test("heads that take turns from channel to channel are refused", () => {
  refuses(generated(), /MatMul .* a tower multiplies each head's queries and keys/, (model) => {
    // [n, tokens, heads, channels] becomes [n, tokens, channels, heads], and what follows fits that.
    model.initializers.get("shape_0_5_2_3")!.data!.set([0, 5, 3, 2]);
    for (const { op, attributes } of model.nodes) {
      if (op !== "Transpose") continue;
      const perm = attributes.get("perm")!.toString();
      if (perm === "0,2,3,1") attributes.set("perm", [0, 3, 2, 1]);
      if (perm === "0,2,1,3") attributes.set("perm", [0, 3, 1, 2]);
    }
  });
});

Deno.test("heads that are not put together again are refused", () => {
  refuses(generated(), /MatMul .*: attention \[n, 5, 6\] is multiplied by weights/, (model) => {
    const putTogether = nth(model, "Transpose", 4);
    assert.deepEqual(putTogether.attributes.get("perm"), [0, 2, 1, 3]);
    putTogether.attributes.set("perm", [0, 2, 3, 1]);
  });
});

Deno.test("queries, keys and values of different inputs are refused", () => {
  refuses(generated(), /query, key and value are of different inputs/, (model) => {
    const [query, key] = [nth(model, "MatMul", 0), nth(model, "MatMul", 1)];
    assert.equal(query.inputs[0], key.inputs[0]);
    key.inputs[0] = nth(model, "LayerNormalization", 0).outputs[0]!;
  });
});

/** All operands that are computed, not constants. */
function swappable(model: OnnxModel, op: string): OnnxNode[] {
  return model.nodes.filter((node) =>
    node.op === op && node.inputs.every((input) => isMade(model, input))
  );
}

for (
  const [op, reason] of [
    ["Sub", /is subtracted from mean/],
    ["Div", /deviation is divided by centred/],
    ["MatMul", /are multiplied, where a tower/],
  ] as const
) {
  Deno.test(`every ${op} with its operands swapped is refused`, () => {
    const count = swappable(readModel(quick()), op).filter((node) =>
      node.inputs.length === 2
    ).length;
    assert.ok(count >= 2);
    for (let n = 0; n < count; n++) {
      refuses(quick(), reason, (model) => swappable(model, op)[n]!.inputs.reverse());
    }
  });
}

Deno.test("a class token after the patches is refused", () => {
  refuses(generated(), /Concat .*: input 0 depends on the picture/, (model) => {
    nth(model, "Concat", -1).inputs.reverse();
  });
});

Deno.test("another token than the class token is refused", () => {
  const reason = /Gather .*: 1 to 1 of axis 1 of residual sum \[n, 5, 6\] are taken/;
  refuses(generated(), reason, (model) => {
    model.initializers.get("class_token_index")!.data![0] = 1;
  });
});

Deno.test("positions in another order are refused", () => {
  refuses(quick(), /Gather .*: it takes elements that are not in a row/, (model) => {
    model.initializers.get("position_ids")!.data!.reverse();
  });
});

Deno.test("patches that overlap, reach beyond the picture, or have a bias are refused", () => {
  const changes: [RegExp, (conv: OnnxNode) => void][] = [
    [/patches of 4 are 2,2 apart, not 4/, (conv) => conv.attributes.set("strides", [2, 2])],
    [/its pads is \[1,1,1,1\]/, (conv) => conv.attributes.set("pads", [1, 1, 1, 1])],
    [/its dilations is \[2,2\]/, (conv) => conv.attributes.set("dilations", [2, 2])],
    [/its group is 3/, (conv) => conv.attributes.set("group", 3)],
    [/has a bias/, (conv) => conv.inputs.push("norm_before.bias")],
  ];
  for (const [reason, change] of changes) {
    refuses(quick(), reason, (model) => change(nth(model, "Conv")));
  }
});

Deno.test("a residual connection around more than its block is refused", () => {
  const reason = /looks at something else than what its result is added to/;
  refuses(generated(), reason, (model) => {
    const sums = model.nodes.filter(({ op, inputs }) =>
      op === "Add" && inputs.every((input) => isMade(model, input))
    );
    const [first, second] = sums;
    second!.inputs[0] = first!.inputs[0]!;
  });
});
