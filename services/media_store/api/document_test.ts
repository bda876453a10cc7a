import { assertDescribes, assertValid, witness } from "@fovea/testing/api_document";
import assert from "node:assert/strict";
import { craftPng } from "../crafted_picture.ts";
import { form, testApp } from "../test_app.ts";
import { describeMediaStore } from "./document.ts";

Deno.test("media_store's API document is valid OpenAPI 3.1", async () => {
  await assertValid(describeMediaStore());
});

Deno.test("media_store's API document describes every route, and no other", async () => {
  await using app = await testApp();
  assertDescribes(describeMediaStore(), app);
});

Deno.test("media_store answers as its API document says", async () => {
  await using app = await testApp({ maxUploadBytes: 10_000 });
  const { check, unseen } = witness(describeMediaStore());
  const call = async (path: string, init: RequestInit = {}) => {
    const answer = await app.request(path, init);
    await check(init.method ?? "GET", path, answer);
    const { status } = answer;
    await answer.body?.cancel();
    return status;
  };
  const upload = (bytes: Uint8Array<ArrayBuffer>) =>
    form({ is_collection: "false", label: "a", image: new Blob([bytes]) });
  const results = (body: string) => ({ method: "POST", body });
  const remove = { method: "DELETE" };

  const statuses = [
    await call("/entity/", upload(craftPng(3, 2))),
    await call("/entity/", upload(craftPng(3, 2))),
    await call("/entity/", form({ is_collection: "true", label: "album" })),
    await call("/entity/", form({ is_collection: "true", image: new Blob(["a"]) })),
    await call("/entity/", form({ label: "a" })),
    await call("/entity/", upload(new Uint8Array(20_000))),
    await call("/entity/", { method: "POST", body: "a" }),
    await call("/entity/?page_size=1"),
    await call("/entity/?colour=red"),
    await call("/entity/1"),
    await call("/entity/9"),
    await call("/entity/one"),
    await call("/entity/1/image"),
    await call("/entity/1/image", { method: "HEAD" }),
    await call("/entity/1/image", { headers: { "If-None-Match": "*" } }),
    await call("/entity/2/image"),
    await call("/entity/1/face-detection-results", results("{}")),
    await call("/entity/1/face-detection-results", results("[]")),
    await call("/entity/2", remove),
    await call("/entity/2", remove),
    await call("/entity/", remove),
    await call("/"),
    await call("/health"),
    await call("/health/ready"),
    await call("/metrics"),
    await call("/openapi.json"),
    await call("/docs"),
    await call("/docs/"),
    await call("/docs/start.js"),
    await call("/docs/start"),
  ];
  assert.deepEqual(
    statuses,
    [
      ...[201, 409, 201, 400, 400, 413, 422],
      ...[200, 400, 200, 404, 400, 200, 200, 304, 404],
      ...[202, 422, 200, 404, 200],
      ...[200, 200, 200, 200, 200, 200, 302, 200, 404],
    ],
  );
  assert.deepEqual(unseen(), []);
});
