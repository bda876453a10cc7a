import assert from "node:assert/strict";
import { craftPng } from "../testing/crafted_picture.ts";
import { form, picture, problemOf, type TestApp, testApp } from "../testing/test_app.ts";
import { look } from "../testing/made_pictures.ts";

const ask = (app: TestApp, query = "", headers: Record<string, string> = {}) =>
  app.request(`/entity/1/thumbnail${query}`, { headers });

async function appWith(name: string): Promise<TestApp> {
  const app = await testApp();
  await app.add({ is_collection: "false", image: await picture(name) });
  return app;
}

Deno.test("a thumbnail is of 256 pixels and WebP, or as asked for", async () => {
  await using app = await appWith("astronaut.png");
  const cases: [string, Record<string, string>, string, number][] = [
    ["", {}, "webp", 256],
    ["?size=64", {}, "webp", 64],
    ["?size=1024", {}, "webp", 512],
    ["?format=jpeg", {}, "jpeg", 256],
    ["", { Accept: "image/avif,image/webp,image/*,*/*;q=0.8" }, "webp", 256],
    ["", { Accept: "image/jpeg, */*;q=0.5" }, "jpeg", 256],
    ["?format=webp", { Accept: "image/jpeg" }, "webp", 256],
  ];
  for (const [query, headers, format, side] of cases) {
    const answer = await ask(app, query, headers);
    const bytes = await answer.bytes();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("Content-Type"), `image/${format}`, query);
    assert.equal(answer.headers.get("Content-Length"), String(bytes.length));
    assert.equal(answer.headers.get("Vary"), "Accept");
    const seen = look(bytes);
    assert.deepEqual([seen.format, seen.size], [format.toUpperCase(), [side, side]], query);
  }
});

Deno.test("a client that has the thumbnail already is told so, without making it", async () => {
  await using app = await appWith("astronaut.png");
  const first = await app.request("/entity/1/thumbnail", { method: "HEAD" });
  const etag = first.headers.get("ETag")!;
  assert.equal(first.status, 200);
  assert.ok(Number(first.headers.get("Content-Length")) > 1000);
  const again = await ask(app, "", { "If-None-Match": etag });
  assert.deepEqual([again.status, again.headers.get("ETag")], [304, etag]);
  const other = await ask(app, "?size=64", { "If-None-Match": etag });
  assert.equal(other.status, 200);
  await other.body?.cancel();
});

Deno.test("a size, format or parameter that there is none of is refused, naming those there are", async () => {
  await using app = await appWith("astronaut.png");
  const cases: [string, RegExp][] = [
    ["?size=100", /size is "100": one of 64, 128, 256, 512, 1024 is expected/],
    ["?size=256px", /size is "256px": one of/],
    ["?format=png", /format is "png": one of webp, jpeg is expected/],
    ["?width=100", /unknown parameter: width: known are size, format, version/],
    ["?size=64&size=128", /size: comes 2 times/],
  ];
  for (const [query, detail] of cases) {
    assert.match((await problemOf(await ask(app, query), "invalid_parameter", 422)).detail, detail);
  }
});

Deno.test("an entity of an earlier version has the thumbnail of its earlier picture", async () => {
  await using app = await appWith("astronaut.png");
  const put = form({ is_collection: "false", image: await picture("rocket.jpg") });
  assert.equal((await app.request("/entity/1", { ...put, method: "PUT" })).status, 200);
  const seen = async (query: string) => look(await (await ask(app, query)).bytes()).size;
  assert.deepEqual(await seen("?version=1"), [256, 256]);
  assert.deepEqual(await seen(""), [256, 171]);
  await problemOf(await ask(app, "?version=3"), "version_not_found", 404);
});

Deno.test("without a picture that can be shown there is no thumbnail, and it says why", async () => {
  await using app = await testApp();
  await app.add({ is_collection: "true" });
  await app.add({ is_collection: "false", image: new Blob(["%PDF-1.7\n"]) });
  await app.add({ is_collection: "false", image: new Blob([craftPng(3, 2)]) });
  const of = (id: number) => app.request(`/entity/${id}/thumbnail`);
  await problemOf(await of(1), "entity_has_no_file", 404);
  const { detail } = await problemOf(await of(2), "no_thumbnail", 404);
  assert.match(detail, /file is application\/pdf/);
  await problemOf(await of(3), "image_unreadable", 422);
  await problemOf(await of(4), "entity_not_found", 404);
});

Deno.test("thumbnails go when their entity is deleted", async () => {
  await using app = await appWith("astronaut.png");
  await (await ask(app)).body?.cancel();
  const cached = () => [...Deno.readDirSync(`${app.folder}/thumbnails`)].length;
  assert.equal(cached(), 1);
  await app.request("/entity/1", { method: "DELETE" });
  assert.equal(cached(), 0);
});
