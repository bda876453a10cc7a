import type { Item, Page } from "@fovea/contract";
import { asJson, asJsonText } from "@fovea/testing";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { craftPng } from "../testing/crafted_picture.ts";
import { form, picture, problemOf, testApp } from "../testing/test_app.ts";

const png = (width: number, height: number, seed?: number) =>
  new Blob([craftPng(width, height, seed)], { type: "text/html" });

Deno.test("a picture that is added comes back as an Item and byte for byte", async () => {
  await using app = await testApp();
  const astronaut = await picture("astronaut.png");
  const bytes = new Uint8Array(await astronaut.arrayBuffer());
  const before = Date.now();
  const answer = await app.request(
    "/entity/",
    form({ is_collection: "false", label: "Eileen", image: astronaut }),
  );
  const item: Item = await answer.json();
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get("Location"), `/entity/${item.id}`);
  const md5 = createHash("md5").update(bytes).digest("hex");
  assert.ok(item.added_date >= before && item.added_date <= Date.now());
  assert.deepEqual(item, {
    id: 1,
    is_collection: false,
    label: "Eileen",
    description: null,
    parent_id: null,
    added_date: item.added_date,
    updated_date: item.added_date,
    is_deleted: false,
    create_date: null,
    create_offset_minutes: null,
    file_size: bytes.length,
    height: 512,
    width: 512,
    shown_by_preview: false,
    duration: null,
    mime_type: "image/png",
    type: "image",
    extension: "png",
    md5,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    file_path: `files/${md5}.png`,
    version: 1,
  });
  assert.deepEqual(await (await app.request("/entity/1")).json(), item);
  const image = await app.request("/entity/1/image");
  assert.deepEqual(new Uint8Array(await image.arrayBuffer()), bytes);
});

Deno.test("what the uploader says of the type counts for nothing", async () => {
  await using app = await testApp();
  const item = await app.add({ is_collection: "False", file: png(3, 2) });
  assert.deepEqual([item.mime_type, item.extension], ["image/png", "png"]);
});

Deno.test("an image is answered with headers to keep it by", async () => {
  await using app = await testApp();
  const item = await app.add({ is_collection: "false", image: png(3, 2) });
  const head = await app.request("/entity/1/image", { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
  const expected = {
    "Content-Type": "image/png",
    "Content-Length": String(item.file_size),
    "ETag": `"${item.sha256}"`,
    "Last-Modified": new Date(item.added_date).toUTCString(),
    "X-Content-Type-Options": "nosniff",
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(head.headers.get(name), value);

  const ask = (tags: string) =>
    app.request("/entity/1/image", { headers: { "If-None-Match": tags } });
  for (const tags of [`"${item.sha256}"`, `"other", W/"${item.sha256}"`, "*"]) {
    const answer = await ask(tags);
    assert.equal(answer.status, 304);
    assert.equal(answer.headers.get("ETag"), `"${item.sha256}"`);
  }
  const changed = await ask(`"other"`);
  assert.equal(changed.status, 200);
  await changed.body?.cancel();
});

Deno.test("the same bytes are stored once", async () => {
  await using app = await testApp();
  const item = await app.add({ is_collection: "false", label: "first", image: png(3, 2) });
  const again = await app.request(
    "/entity/",
    form({ is_collection: "false", label: "second", file: png(3, 2) }),
  );
  assert.deepEqual([again.status, again.headers.get("ETag")], [200, `"v1"`]);
  assert.deepEqual(await again.json(), item);
  assert.equal(app.files().length, 1);
});

Deno.test("entities lie in collections, and move out when theirs is deleted", async () => {
  await using app = await testApp();
  const collection = await app.add({ is_collection: "true", label: "Cats" });
  const inside = { is_collection: "false", image: png(3, 2), parent_id: String(collection.id) };
  const item = await app.add(inside);
  assert.deepEqual([collection.type, item.parent_id], [null, collection.id]);
  await app.request(`/entity/${collection.id}`, { method: "DELETE" });
  assert.equal((await app.service.get(item.id)).parent_id, null);
});

Deno.test("fields that a form leaves empty are not set", async () => {
  await using app = await testApp();
  const empty = { label: "", description: "", parent_id: "" };
  const item = await app.add({ is_collection: "1", ...empty });
  assert.deepEqual([item.label, item.description, item.parent_id], [null, null, null]);
});

Deno.test("a form's texts are kept as they are, up to their limits", async () => {
  await using app = await testApp();
  const label = "\u202e\u200f '; drop table entities; -- 👩‍👩‍👧".padEnd(255, "x");
  assert.equal((await app.add({ is_collection: "true", label })).label, label);
  const cases: [string, string, RegExp][] = [
    ["label", "x".repeat(256), /^label is "x{79}…: at most 255 characters are allowed$/],
    ["label", "x".repeat(1_000_000), /label.* 65536 bytes/],
    [
      "description",
      "x".repeat(10_001),
      /^description is "x{79}…: at most 10000 characters are allowed$/,
    ],
    ["label", "a\0b", /^label is "a\\u0000b": text without NUL/],
    ["parent_id", "9007199254740993", /^parent_id is \d+: number is too large$/],
    ["parent_id", "1e3", /^parent_id is "1e3": a whole number from 1 is expected$/],
  ];
  for (const [name, value, detail] of cases) {
    const answer = await app.request("/entity/", form({ is_collection: "true", [name]: value }));
    assert.match((await problemOf(answer, "invalid_parameter", 422)).detail, detail);
  }
});

Deno.test("what is deleted is gone, row and file, and its id is not given again", async () => {
  await using app = await testApp();
  const item = await app.add({ is_collection: "false", image: png(3, 2) });
  const answer = await app.request("/entity/1", { method: "DELETE" });
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), item);
  for (const path of ["/entity/1", "/entity/1/image"]) {
    await problemOf(await app.request(path), "entity_not_found", 404);
  }
  await problemOf(await app.request("/entity/1", { method: "DELETE" }), "entity_not_found", 404);
  assert.deepEqual(app.files(), []);
  assert.equal((await app.add({ is_collection: "false", image: png(3, 2) })).id, 2);
});

Deno.test("the store can be emptied, and goes on counting", async () => {
  await using app = await testApp();
  await app.add({ is_collection: "true" });
  await app.add({ is_collection: "false", image: png(3, 2) });
  const answer = await app.request("/entity/", { method: "DELETE" });
  assert.deepEqual(await answer.json(), { status: "deleted", deleted: 2 });
  assert.deepEqual(app.files(), []);
  assert.equal((await app.add({ is_collection: "true" })).id, 3);
});

Deno.test("entities are listed by pages, in the order in which they were added", async () => {
  await using app = await testApp();
  for (let i = 0; i < 5; i++) await app.add({ is_collection: "true" });
  const page = async (query: string): Promise<Page<Item>> =>
    await (await app.request(`/entity/${query}`)).json();
  const last = await page("?page=3&page_size=2");
  assert.deepEqual(last.items.map((item) => item.id), [5]);
  assert.deepEqual(last.pagination, {
    page: 3,
    page_size: 2,
    total_items: 5,
    total_pages: 3,
    has_next: false,
    has_prev: true,
  });
  assert.deepEqual((await page("")).items.map((item) => item.id), [1, 2, 3, 4, 5]);
  assert.deepEqual((await page("?page=1000000000")).items, []);
});

Deno.test("a listing is not answered as if a parameter had not been there", async () => {
  await using app = await testApp();
  const queries = [
    "page=0",
    "page=x",
    "page=-1",
    "page_size=101",
    "page_size=1e9",
    "page_size=1.5",
    "page=1&page=2",
    "include_deleted=perhaps",
    "version=0",
    "pages=2",
  ];
  for (const query of queries) {
    await problemOf(await app.request(`/entity/?${query}`), "invalid_parameter", 422);
  }
  const answer = await app.request("/entity/?page=0&pages=2");
  assert.equal(
    (await problemOf(answer, "invalid_parameter", 422)).detail,
    "page is 0: 1 is the least; unknown parameter: pages: known are page, page_size, search_query, " +
      "filter_param, version, include_deleted",
  );
});

Deno.test("an id that is none is a bad request, one that nobody has is not found", async () => {
  await using app = await testApp();
  for (const id of ["abc", "0", "-1", "1.0", "01", "1e3", "9007199254740993"]) {
    await problemOf(await app.request(`/entity/${id}`), "invalid_parameter", 422);
    const patch = asJson({}, "PATCH");
    await problemOf(await app.request(`/entity/${id}`, patch), "invalid_parameter", 422);
  }
  await problemOf(await app.request("/entity/7"), "entity_not_found", 404);
  await problemOf(await app.request("/entity/7/image"), "entity_not_found", 404);
});

Deno.test("a collection has no image", async () => {
  await using app = await testApp();
  await app.add({ is_collection: "true" });
  await problemOf(await app.request("/entity/1/image"), "entity_has_no_file", 404);
});

Deno.test("face detection results are taken for entities that exist, and only as an object", async () => {
  await using app = await testApp();
  await app.add({ is_collection: "true" });
  const send = (id: number, body: string) =>
    app.request(`/entity/${id}/face-detection-results`, asJsonText(body));
  const taken = await send(1, `{"faces": []}`);
  assert.equal(taken.status, 202);
  assert.deepEqual(await taken.json(), { status: "accepted" });
  for (const body of ["[]", "null", "7", `"{}"`, "{", ""]) {
    await problemOf(await send(1, body), "malformed_body", 422);
  }
  await problemOf(await send(2, "{}"), "entity_not_found", 404);
  const huge = JSON.stringify({ faces: "x".repeat(1024 * 1024) });
  await problemOf(await send(1, huge), "upload_too_large", 413);
});

Deno.test("health, readiness and the welcome are there, and nothing else", async () => {
  await using app = await testApp();
  for (const path of ["/", "/health", "/health/ready"]) {
    const answer = await app.request(path);
    assert.equal(answer.status, 200);
    assert.equal(typeof await answer.json(), "object");
  }
  assert.deepEqual(app.files(), []);
  await problemOf(await app.request("/admin"), "route_not_found", 404);
});
