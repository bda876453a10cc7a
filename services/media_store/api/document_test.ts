import { MEDIA_STORE_RIGHTS } from "@fovea/contract";
import { assertDescribes, assertRights, assertValid } from "@fovea/testing/api_document";
import { asJson, asJsonText } from "@fovea/testing";
import assert from "node:assert/strict";
import { craftPng } from "../testing/crafted_picture.ts";
import { apiWitness, form, picture, testApp } from "../testing/test_app.ts";
import { describeMediaStore } from "./document.ts";

Deno.test("media_store's API document is valid OpenAPI 3.1", async () => {
  await assertValid(describeMediaStore());
});

Deno.test("media_store's API document describes every route, and no other", async () => {
  await using app = await testApp();
  assertDescribes(describeMediaStore(), app);
  assertRights(describeMediaStore(), app, MEDIA_STORE_RIGHTS);
});

Deno.test("media_store answers as its API document says", async () => {
  await using app = await testApp({ maxUploadBytes: 1_000_000 });
  const call = async (path: string, init: RequestInit = {}) => {
    const answer = await app.request(path, init);
    await answer.body?.cancel();
    return answer.status;
  };
  const file = async (image: Blob | Promise<Blob>, method = "POST") =>
    form({ is_collection: "false", label: "a", image: await image }, method);
  const urlencoded = (fields: Record<string, string>, method = "POST") => ({
    method,
    body: new URLSearchParams(fields),
  });
  const png = new Blob([craftPng(3, 2)]);
  const astronaut = picture("astronaut.png");
  const given = (headers: Record<string, string>, method = "GET") => ({ method, headers });
  const patch = (body: unknown) => asJson(body, "PATCH");
  const results = (body: string) => asJsonText(body);
  const remove = { method: "DELETE" };

  const calls: [status: number, path: string, init?: RequestInit][] = [
    [201, "/entity/", await file(astronaut)],
    [200, "/entity/", await file(astronaut)],
    [201, "/entity/", form({ is_collection: "true", label: "album" })],
    [201, "/entity/", await file(png)],
    [400, "/entity/", form({ is_collection: "true", image: png })],
    [422, "/entity/", form({ label: "a" })],
    [413, "/entity/", await file(new Blob([new Uint8Array(1_000_001)]))],
    [415, "/entity/", await file(new Blob(["a note"]))],
    [422, "/entity/", { method: "POST", body: "a" }],
    [200, "/entity/?page_size=1&filter_param=type:image,parent_id:null&include_deleted=true"],
    [200, "/entity/?search_query=alb&version=1"],
    [422, "/entity/?colour=red"],
    [200, "/entity/1"],
    [200, "/entity/1?version=1"],
    [304, "/entity/1", given({ "If-None-Match": '"v1"' })],
    [404, "/entity/1?version=9"],
    [404, "/entity/9"],
    [422, "/entity/one"],
    [200, "/entity/2", form({ is_collection: "true", label: "b" }, "PUT")],
    [400, "/entity/2", form({ is_collection: "false" }, "PUT")],
    [409, "/entity/3", await file(astronaut, "PUT")],
    [412, "/entity/3", { ...await file(png, "PUT"), headers: { "If-Match": '"v7"' } }],
    [200, "/entity/1", patch({ label: "b" })],
    [200, "/entity/1", patch({ body: { parent_id: 2, is_deleted: true } })],
    [400, "/entity/1", patch({ parent_id: 3 })],
    [412, "/entity/1", asJson({ label: "c" }, "PATCH", { "If-Match": '"v1"' })],
    [422, "/entity/1", patch({ colour: "red" })],
    [415, "/entity/1", { method: "PATCH", body: "{}" }],
    [403, "/entity/1", asJson({}, "PATCH", { Origin: "http://elsewhere.example" })],
    [421, "http://elsewhere.example/entity/1"],
    [200, "/entity/1/versions"],
    [404, "/entity/9/versions"],
    [200, "/entity/1/image"],
    [200, "/entity/1/image", { method: "HEAD" }],
    [206, "/entity/1/image?version=1", given({ Range: "bytes=0-9" })],
    [200, "/entity/1/image", given({ Range: "bytes=0-9,20-29" })],
    [304, "/entity/1/image", given({ "If-None-Match": "*" })],
    [412, "/entity/1/image", given({ "If-Match": '"other"' })],
    [416, "/entity/1/image", given({ Range: "bytes=1000000-" })],
    [404, "/entity/2/image"],
    [200, "/entity/1/thumbnail?size=64"],
    [200, "/entity/1/thumbnail?format=jpeg", { method: "HEAD" }],
    [304, "/entity/1/thumbnail", given({ "If-None-Match": "*" })],
    [422, "/entity/1/thumbnail?size=65"],
    [404, "/entity/2/thumbnail"],
    [422, "/entity/3/thumbnail"],
    [202, "/entity/1/face-detection-results", results("{}")],
    [422, "/entity/1/face-detection-results", results("[]")],
    [201, "/entity/", urlencoded({ is_collection: "true" })],
    [200, "/entity/4", urlencoded({ is_collection: "true", label: "d" }, "PUT")],
    [412, "/entity/2", given({ "If-Match": '"v1"' }, "DELETE")],
    [200, "/entity/2", remove],
    [404, "/entity/2", remove],
    [200, "/entity/", remove],
    [200, "/store"],
    [422, "/store?after=1"],
    [409, "/store?after=1&tag=0123456789abcdef"],
    [200, "/changes?limit=1"],
    [422, "/changes?after=1"],
    [409, "/changes?after=1&tag=0123456789abcdef"],
    [200, "/changes/stream"],
    [409, "/changes/stream?after=1&tag=0123456789abcdef"],
    [200, "/entity/columns"],
    [304, "/entity/columns", given({ "If-None-Match": "*" })],
    [422, "/entity/columns?fields=colour"],
    [200, "/entity/known", asJson({ sha256: ["0".repeat(64)] })],
    [422, "/entity/known", asJson({ sha256: [] })],
    [200, "/"],
    [200, "/health"],
    [200, "/health/ready"],
    [200, "/metrics"],
    [200, "/openapi.json"],
    [200, "/docs"],
    [302, "/docs/"],
    [200, "/docs/start.js"],
    [404, "/docs/start"],
  ];
  for (const [status, path, init] of calls) {
    assert.equal(await call(path, init), status, `${init?.method ?? "GET"} ${path}`);
  }
  assert.deepEqual(apiWitness.unseen(), []);
});
