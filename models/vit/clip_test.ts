import { temporaryFolder } from "@fovea/testing";
import { testModel } from "@fovea/testing/models";
import assert from "node:assert/strict";
import { openEncoder } from "./encoder.ts";
import { CLOSE_COSINE } from "./kernels/kernels.ts";
import { loadWeights } from "./load_weights.ts";
import { calibrationPictures } from "./packing/calibration_pictures.ts";
import { cosine } from "./packing/proof.ts";
import { SlotKeeper } from "./slots.ts";
import { largestDifference } from "./testing/exported_towers.ts";
import { openFirst } from "./testing/packed_towers.ts";
import { batchOf } from "./testing/random_tower.ts";
import { openRuntime } from "./testing/runtime.ts";

const fixture = await testModel("image_embedding", "fixture");
const seeded = await testModel("image_embedding", "clip-vit-b-32-seeded");
const pictures = calibrationPictures(224).slice(0, 6);

// The runtime's first session opens a message port that it keeps: not a leak of the test at hand.
await (await openRuntime(await Deno.readFile(fixture.path)))[Symbol.asyncDispose]();

Deno.test("the fixture's embeddings are those of onnxruntime-web, as fp32 to 1e-5, as int8 alike", async () => {
  await using folder = await temporaryFolder();
  await using runtime = await openRuntime(await Deno.readFile(fixture.path));
  const expected = await runtime.embed(pictures);
  const options = { cacheDir: folder.path, sha256: fixture.sha256, maxBatch: pictures.length };
  for (const precision of ["fp32", "int8"] as const) {
    const weights = await loadWeights(fixture.path, { ...options, precision });
    assert.equal(weights.precision, precision);
    const embeddings = openFirst(weights).run(batchOf(pictures), pictures.length);
    expected.forEach((embedding, i) => {
      const own = embeddings.subarray(i * embedding.length, (i + 1) * embedding.length);
      assert.ok(cosine(own, embedding) > 0.999);
      if (precision === "fp32") assert.ok(largestDifference(own, embedding) < 1e-5);
    });
  }
});

Deno.test("at ViT-B/32's own size int8 is close to fp32, in two threads' slots", async () => {
  await using folder = await temporaryFolder();
  const options = { cacheDir: folder.path, sha256: seeded.sha256, slots: 2 };
  const exact = openFirst(await loadWeights(seeded.path, options));
  const int8 = await loadWeights(seeded.path, { ...options, precision: "int8" });
  const smallest = CLOSE_COSINE[int8.levels];
  assert.ok(int8.proof!.smallestCosine >= smallest, JSON.stringify(int8.proof));
  const keeper = new SlotKeeper(int8);
  for (const picture of pictures.slice(0, 2)) {
    const encoder = openEncoder(int8, keeper.take());
    assert.ok(cosine(encoder.run(picture), exact.run(picture)) >= smallest);
  }
});
