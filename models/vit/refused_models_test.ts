import { testNeeding } from "@fovea/testing";
import { testModel, yunet } from "@fovea/testing/models";
import assert from "node:assert/strict";
import { readTower } from "./read_tower.ts";
import { exportedTower } from "./testing/exported_towers.ts";
import { floats, insertAfter, makerOf, nth, refuses } from "./testing/tampering.ts";

const tower = () => exportedTower("separate_11_folded");

Deno.test("a face detector is no tower", async () => {
  const { path } = await testModel("face_detection", "ultraface-rfb-320");
  assert.throws(() => readTower(Deno.readFileSync(path)), /its opset is 9: 11 to 22 are known/);
});

testNeeding([yunet], "a face detector of operators that towers have is refused as well", () => {
  const file = Deno.readFileSync(yunet.model!.path);
  assert.throws(() => readTower(file), /Conv \(output "\d+"\): the patch embedding has a bias/);
});

Deno.test("a text tower is refused by its input", () => {
  refuses(tower(), /input "input_ids" is \[open, 77\], not \[n, 3, height, width\]/, (model) => {
    model.inputs = [{ name: "input_ids", dims: [null, 77] }];
  });
});

Deno.test("a model of picture and text is refused for its inputs", () => {
  refuses(tower(), /2 inputs, where a tower has one/, ({ inputs }) => {
    inputs.push({ name: "input_ids", dims: [null, 77] });
  });
});

Deno.test("weights of int8 and of half precision are refused by name", () => {
  for (const type of ["INT8", "UINT8", "FLOAT16"]) {
    const reason = new RegExp(`the weights "positions.weight": .* of type ${type}, where .* FLOAT`);
    refuses(tower(), reason, (model) => {
      model.initializers.set("positions.weight", { dims: [10, 16], type, data: null });
    });
  }
});

Deno.test("a tower that is quantised as it runs is refused by the first operator that does so", () => {
  const reason = /DynamicQuantizeLinear \(output ".*"\): a tower has no such operator/;
  refuses(tower(), reason, (model) => {
    insertAfter(model, nth(model, "MatMul").inputs[0]!, { op: "DynamicQuantizeLinear" });
  });
});

Deno.test("operator sets that were not read are refused", () => {
  for (const opset of [9, 10, 23]) {
    const reason = new RegExp(`its opset is ${opset}: 11 to 22 are known`);
    refuses(tower(), reason, ({ opsets }) => opsets.set("", opset));
  }
  refuses(tower(), /its opset is none/, ({ opsets }) => opsets.clear());
});

Deno.test("operators of another domain are refused", () => {
  refuses(tower(), /Softmax \(output ".*"\): the operator is of "com.microsoft"/, (model) => {
    nth(model, "Softmax").domain = "com.microsoft";
  });
});

Deno.test("attributes that nobody looks at are refused", () => {
  refuses(tower(), /Softmax .*: its attribute temperature is not known/, (model) => {
    nth(model, "Softmax").attributes.set("temperature", 2);
  });
  refuses(tower(), /ReduceMean .*: its attribute axes is of a kind not known/, (model) => {
    nth(model, "ReduceMean").attributes.set("axes", null);
  });
});

Deno.test("weights left over are refused by name", () => {
  const reason = /the weights "another.weight" \[16, 16\] are no part of the tower/;
  refuses(tower(), reason, (model) => {
    model.initializers.set("another.weight", floats([16, 16]));
  });
});

Deno.test("a graph that uses what nobody makes, or makes it twice, is refused", () => {
  refuses(tower(), /Softmax .*: there is no value "elsewhere"/, (model) => {
    nth(model, "Softmax").inputs = ["elsewhere"];
  });
  refuses(tower(), /Softmax .*: there is a value ".*" already/, (model) => {
    model.nodes.push(nth(model, "Softmax"));
  });
});

Deno.test("an output that is not the embedding is refused", () => {
  refuses(tower(), /0 of its outputs \(.*\) have one row a picture/, (model) => {
    model.outputs = [nth(model, "Softmax").outputs[0]!];
  });
  refuses(tower(), /the output is layer normalisation, where a tower has projection/, (model) => {
    model.outputs = [makerOf(model, model.outputs[0]!).inputs[0]!];
  });
  refuses(tower(), /its output is scaled by 2, or out of order/, (model) => {
    const [output] = model.outputs;
    model.initializers.set("two", floats([], 2));
    insertAfter(model, output!, { op: "Mul", more: ["two"] });
    model.outputs = [`${output} Mul`];
  });
});

Deno.test("a picture of open size is refused where two weights could be its positions", () => {
  const open = exportedTower("separate_14_folded_open");
  refuses(open, /input "pixel_values" is of no certain size/, (model) => {
    model.initializers.set("another.positions", floats([10, 24]));
  });
});
