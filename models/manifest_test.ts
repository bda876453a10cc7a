import assert from "node:assert/strict";
import { modelChoices, MODELS, modelsFor } from "./manifest.ts";

const names = (models: { name: string }[]) => models.map((model) => model.name);

Deno.test("no two models share a name, an alias or a file", () => {
  const called = MODELS.flatMap((model) => [model.name, ...model.aliases]);
  assert.equal(new Set(called).size, called.length);
  assert.equal(new Set(MODELS.map((model) => model.file)).size, MODELS.length);
});

Deno.test("auto tries CLIP for embeddings, and YuNet before UltraFace for faces", () => {
  assert.deepEqual(names(modelsFor("image_embedding")), ["clip-vit-b-32"]);
  assert.deepEqual(names(modelsFor("face_detection")), ["yunet-2023mar", "ultraface-rfb-320"]);
});

Deno.test("the fixture is never chosen but by name, and never called semantic", () => {
  assert.deepEqual(
    names(modelsFor("image_embedding", "fixture")),
    names(modelsFor("image_embedding", "clip-vit-b-32-fixture")),
  );
  for (const model of MODELS) {
    assert.equal(model.semantic, model.source.kind !== "generated", model.name);
    assert.ok(model.semantic || !model.auto, model.name);
  }
});

Deno.test("the quantised tower is never chosen but by name, and says what is lost with it", () => {
  const [int8] = modelsFor("image_embedding", "clip-vit-b-32-int8");
  assert.equal(int8?.auto, false);
  assert.match(int8.note ?? "", /0\.260.*fp32 0\.360.*cosine .*0\.94/);
});

Deno.test("every choice of a task's setting leads to models of that task", () => {
  for (const taskType of new Set(MODELS.map(({ task_type }) => task_type))) {
    for (const choice of modelChoices(taskType)) {
      const models = modelsFor(taskType, choice);
      assert.ok(models.length > 0, choice);
      assert.ok(models.every((model) => model.task_type === taskType), choice);
    }
  }
});

Deno.test("a model of another task is no choice, and the message names those that are", () => {
  assert.throws(
    () => modelsFor("image_embedding", "yunet-2023mar"),
    new RangeError(
      'Cannot choose a model for image_embedding: "yunet-2023mar" is none of auto, ' +
        "clip-vit-b-32, clip-vit-b-32-int8, clip-vit-b-32-fixture, fixture, " +
        "clip-vit-b-32-seeded, clip-vit-b-32-seeded-int8",
    ),
  );
});
