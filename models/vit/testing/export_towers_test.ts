import { endOf, type Need, temporaryFolder, testNeeding } from "@fovea/testing";
import assert from "node:assert/strict";
import { EXPORTED_TOWERS, exportedTower, largestDifference } from "./exported_towers.ts";

/** Debian's own Python first: a torch elsewhere may be another version, that writes other graphs. */
const PYTHON = ["/usr/bin/python3", "python3"].find((program) => {
  const check = "import torch; assert torch.__version__.startswith('1.13.')";
  try {
    return new Deno.Command(program, { args: ["-c", check] }).outputSync().success;
  } catch {
    return false;
  }
});

const torch: Need = {
  isThere: PYTHON !== undefined,
  what: "torch 1.13 (apt-get install python3-torch)",
};

testNeeding([torch], "torch exports the stored towers, to the byte", async () => {
  await using folder = await temporaryFolder();
  const script = new URL("export_towers.py", import.meta.url).pathname;
  const { code, stderr } = await endOf(PYTHON!, { args: [script, folder.path] });
  assert.equal(code, 0, stderr);
  const golden = JSON.parse(await Deno.readTextFile(`${folder.path}/golden.json`));
  assert.deepEqual(Object.keys(golden), Object.keys(EXPORTED_TOWERS));
  for (const [name, { embeddings }] of Object.entries(EXPORTED_TOWERS)) {
    const written = await Deno.readFile(`${folder.path}/${name}.onnx`);
    assert.deepEqual(written, exportedTower(name), name);
    for (const [i, embedding] of embeddings.entries()) {
      assert.ok(largestDifference(golden[name].embeddings[i], embedding) < 1e-6, name);
    }
  }
});
