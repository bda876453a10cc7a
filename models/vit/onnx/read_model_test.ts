import assert from "node:assert/strict";
import { PbfWriter } from "pbf";
import { encodeModel, type Tensor } from "../../onnx.ts";
import { readTower } from "../read_tower.ts";
import { exportedTower } from "../testing/exported_towers.ts";
import { UnsupportedModel } from "../unsupported_model.ts";
import { readModel } from "./read_model.ts";

function fileWith(initializers: [string, Tensor][]): Uint8Array {
  return encodeModel({
    opset: 17,
    name: "graph",
    description: "",
    inputs: [{ name: "x", shape: ["n", 3] }],
    outputs: [{ name: "z", shape: ["n", 3] }],
    nodes: [
      { op: "Add", inputs: ["x", "b"], outputs: ["y"] },
      {
        op: "Mul",
        inputs: ["y", ""],
        outputs: ["z"],
        attributes: { whole: { int: -2 }, broken: { float: 0.5 }, list: { ints: [3, -1] } },
      },
    ],
    initializers: new Map(initializers),
  });
}

/** A file with one tensor, whose fields are given. */
function fileOf(writeTensor: (pbf: PbfWriter) => void): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeMessage(
    7,
    (_, graph) => graph.writeMessage(5, (_, tensor) => writeTensor(tensor), 0),
    0,
  );
  return pbf.finish();
}

function says(reason: RegExp) {
  return (error: unknown) => error instanceof UnsupportedModel && reason.test(error.message);
}

Deno.test("a graph is read as it was written", () => {
  const data = Float32Array.of(1, 2.5, -3);
  const { opsets, inputs, outputs, nodes, initializers } = readModel(fileWith([
    ["b", { dims: [3], data }],
    ["axes", { dims: [2], data: BigInt64Array.of(-1n, 2n ** 40n) }],
    ["scalar", { dims: [], data: Float32Array.of(7) }],
  ]));
  assert.deepEqual([...opsets], [["", 17]]);
  assert.deepEqual(inputs, [{ name: "x", dims: [null, 3] }]);
  assert.deepEqual(outputs, ["z"]);
  assert.deepEqual(initializers.get("b"), { dims: [3], type: "FLOAT", data });
  assert.deepEqual(initializers.get("axes"), {
    dims: [2],
    type: "INT64",
    data: Float64Array.of(-1, 2 ** 40),
  });
  assert.deepEqual(initializers.get("scalar")?.dims, []);
  const [add, mul] = nodes;
  assert.deepEqual(add, {
    op: "Add",
    domain: "",
    inputs: ["x", "b"],
    outputs: ["y"],
    attributes: new Map(),
  });
  assert.deepEqual([...mul!.attributes], [["whole", -2], ["broken", 0.5], ["list", [3, -1]]]);
});

Deno.test("weights are read where they lie, wherever that is", () => {
  const data = Float32Array.from({ length: 100 }, (_, i) => i / 3);
  const shifts = new Set<number>();
  // A name that is longer moves what follows it by as much.
  for (const name of ["w", "ww", "www", "wwww"]) {
    const file = fileWith([[name, { dims: [10, 10], data }], ["next", { dims: [100], data }]]);
    const begin = new Uint8Array(data.buffer);
    shifts.add(file.findIndex((_, at) => begin.every((byte, i) => file[at + i] === byte)) % 4);
    const { initializers } = readModel(file);
    for (const read of [initializers.get(name)!, initializers.get("next")!]) {
      assert.equal(read.data!.buffer, file.buffer);
      assert.deepEqual(new Float32Array(read.data!), data);
    }
  }
  assert.deepEqual([...shifts].sort(), [0, 1, 2, 3]);
});

Deno.test("a tower in the middle of a larger buffer is read as well", () => {
  const file = exportedTower("separate_11_folded");
  const { positions } = readTower(file.slice());
  for (const offset of [1, 2, 3]) {
    const larger = new Uint8Array(file.length + 8);
    larger.set(file, offset);
    const read = readTower(larger.subarray(offset, offset + file.length));
    assert.deepEqual(new Float32Array(read.positions), new Float32Array(positions));
  }
});

Deno.test("numbers are read from every list that a tensor may have them in", () => {
  const [FLOAT, INT32, INT64, DOUBLE] = [1, 6, 7, 11];
  const cases: [number, (pbf: PbfWriter) => void, number[]][] = [
    [FLOAT, (pbf) => pbf.writePackedFloat(4, [1.5, -2]), [1.5, -2]],
    [FLOAT, (pbf) => [1.5, -2].forEach((x) => pbf.writeFloatField(4, x)), [1.5, -2]],
    [INT32, (pbf) => pbf.writePackedVarint(5, [3, -4]), [3, -4]],
    [INT64, (pbf) => pbf.writePackedVarint(7, [3, -4]), [3, -4]],
    [DOUBLE, (pbf) => pbf.writePackedDouble(10, [0.1, 0.2]), [0.1, 0.2]],
  ];
  for (const [type, writeNumbers, expected] of cases) {
    const file = fileOf((pbf) => {
      pbf.writeVarintField(1, 2);
      pbf.writeVarintField(2, type);
      writeNumbers(pbf);
      pbf.writeStringField(8, "w");
    });
    assert.deepEqual([...readModel(file).initializers.get("w")!.data!], expected);
  }
});

Deno.test("weights in another file are refused by both names", () => {
  const file = fileOf((pbf) => {
    pbf.writeVarintField(1, 2);
    pbf.writeVarintField(2, 1);
    pbf.writeStringField(8, "patches.weight");
    pbf.writeMessage(13, (_, entry) => {
      entry.writeStringField(1, "location");
      entry.writeStringField(2, "weights.bin");
    }, 0);
    pbf.writeVarintField(14, 1);
  });
  const reason = /the weights "patches.weight" are in another file, "weights.bin"/;
  assert.throws(() => readModel(file), says(reason));
});

Deno.test("weights of the same name twice are refused", () => {
  const pbf = new PbfWriter();
  pbf.writeMessage(7, (_, graph) => {
    for (let n = 0; n < 2; n++) graph.writeMessage(5, (_, pbf) => pbf.writeStringField(8, "w"), 0);
  }, 0);
  assert.throws(() => readModel(pbf.finish()), says(/it has the weights "w" twice/));
});

Deno.test("a tensor of other numbers than its shape has is refused", () => {
  const file = fileWith([["b", { dims: [4], data: Float32Array.of(1, 2, 3) }]]);
  assert.throws(() => readModel(file), says(/tensor "b" of shape \[4\] has 3 numbers, not 4/));
});

Deno.test("a tower cut off anywhere is refused", () => {
  const file = exportedTower("separate_16_folded_one");
  for (let length = 0; length < file.length; length += 97) {
    assert.throws(() => readTower(file.slice(0, length)), UnsupportedModel, `at ${length}`);
  }
  assert.throws(() => readTower(file.slice(0, -1)), says(/no ONNX file, or cut off/));
});

Deno.test("what is no ONNX file is refused", () => {
  const files = [
    "",
    "\x89PNG\r\n\x1a\n",
    "<!doctype html>",
    "version https://git-lfs.github.com/spec/v1",
  ];
  for (const text of files) {
    assert.throws(
      () => readTower(new TextEncoder().encode(text)),
      says(/the file is no ONNX file/),
    );
  }
});

Deno.test("a tower with any byte of its structure changed is refused or read, and nothing else", () => {
  const file = exportedTower("separate_16_folded_one");
  for (let at = 0; at < file.length; at += 61) {
    for (const flip of [0x01, 0x80, 0xff]) {
      const changed = file.slice();
      changed[at]! ^= flip;
      try {
        readTower(changed);
      } catch (error) {
        assert.ok(error instanceof UnsupportedModel, `byte ${at} ^ ${flip}: ${error}`);
      }
    }
  }
});
