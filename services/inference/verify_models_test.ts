import { endOf, temporaryFolder } from "@fovea/testing";
import { MODELS_DIR, testModel } from "@fovea/testing/models";
import assert from "node:assert/strict";
import { compareFirstValues } from "./verify_models.ts";

async function verify(args: string[], modelsDir: string) {
  return await endOf(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      "--allow-env=MODELS_DIR",
      "--ignore-env",
      "--allow-read",
      new URL("./verify_models.ts", import.meta.url).pathname,
      ...args,
    ],
    env: { MODELS_DIR: modelsDir },
  });
}

Deno.test("values pass when each is near the published one, and only then", () => {
  const published = [0.318, -0.155, 0.0767];
  const passed = (...values: number[]) => compareFirstValues(values, published).passed;
  assert.ok(passed(0.32, -0.15, 0.07, 9));
  assert.ok(!passed(0.32, -0.15, 0.1, 9));
  assert.ok(!passed(0.32, 0.15, 0.07, 9));
  assert.ok(!passed(0.32, NaN, 0.07, 9));
  assert.ok(!passed(0.32));
});

Deno.test("a tower of random weights does not pass for the real one", async () => {
  await testModel("image_embedding", "fixture");
  const { code, stdout, stderr } = await verify(["fixture"], MODELS_DIR);
  assert.equal(code, 1, stderr);
  assert.match(stdout, /^FAIL {2}fixture: the first 10 values are the published ones \(largest /);
  assert.match(stdout, /^skip {2}fixture: captions: the text tower is not in MODELS_DIR/m);
});

Deno.test("without the weights it is said which are missing", async () => {
  await using folder = await temporaryFolder();
  const { code, stdout, stderr } = await verify([], folder.path);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(
    stderr,
    "Cannot verify clip-vit-b-32: its weights are not in MODELS_DIR: " +
      "run `./fovea models clip-vit-b-32`\n",
  );
});

Deno.test("what is no model for embeddings is wrong usage", async () => {
  const { code, stderr } = await verify(["yunet-2023mar"], MODELS_DIR);
  assert.equal(code, 2);
  assert.match(stderr, /"yunet-2023mar" is none of auto, clip-vit-b-32[^]*Usage:/);
});
