import type { Item } from "@fovea/contract";
import { asJson } from "@fovea/testing";
import assert from "node:assert/strict";
import { craftPng } from "../testing/crafted_picture.ts";
import { form, problemOf, type TestApp, testApp } from "../testing/test_app.ts";

const png = (seed: number, width = 3) => new Blob([craftPng(width, 2, seed)]);

const patch = (app: TestApp, id: number, body: unknown, headers: Record<string, string> = {}) =>
  app.request(`/entity/${id}`, asJson(body, "PATCH", headers));

const put = (
  app: TestApp,
  id: number,
  fields: Record<string, string | Blob>,
  headers: Record<string, string> = {},
) => app.request(`/entity/${id}`, { ...form(fields, "PUT"), headers });

/** Expects a change to succeed, and returns the entity. */
async function itemOf(answer: Response | Promise<Response>): Promise<Item> {
  const response = await answer;
  const item = await response.json();
  assert.equal(response.status, 200, item.detail);
  return item;
}

Deno.test("PUT replaces what was said of an entity, and its file where there is a new one", async () => {
  await using app = await testApp();
  const first = await app.add({ is_collection: "false", label: "old", image: png(1) });
  const second = await itemOf(put(app, 1, { is_collection: "false", description: "d" }));
  assert.deepEqual(second, {
    ...first,
    label: null,
    description: "d",
    version: 2,
    updated_date: second.updated_date,
  });
  assert.ok(second.updated_date >= first.updated_date);

  const third = await itemOf(put(app, 1, { is_collection: "false", image: png(2, 7) }));
  assert.deepEqual([third.version, third.width, third.description], [3, 7, null]);
  assert.notEqual(third.sha256, first.sha256);
  assert.deepEqual(await (await app.request("/entity/1")).json(), third);
  assert.deepEqual(await (await app.request("/entity/1/image")).bytes(), craftPng(7, 2, 2));
});

Deno.test("a collection stays one, and a file a file", async () => {
  await using app = await testApp();
  await app.add({ is_collection: "true" });
  await app.add({ is_collection: "false", image: png(1) });
  for (const [id, is_collection] of [[1, "false"], [2, "true"]] as const) {
    const answer = await put(app, id, { is_collection });
    const { detail } = await problemOf(answer, "is_collection_fixed", 400);
    assert.match(detail, new RegExp(`^is_collection is ${is_collection}: entity ${id} is`));
  }
  const withFile = await put(app, 1, { is_collection: "true", image: png(2) });
  await problemOf(withFile, "unexpected_file", 400);
  await problemOf(await put(app, 1, { label: "x" }), "missing_field", 422);
  await problemOf(await put(app, 7, { is_collection: "true" }), "entity_not_found", 404);
  assert.equal(app.files().length, 1);
});

Deno.test("bytes of another entity are refused, an entity's own are fine and change nothing", async () => {
  await using app = await testApp();
  const first = await app.add({ is_collection: "false", image: png(1) });
  const { md5 } = await app.add({ is_collection: "false", image: png(2) });
  const put2 = () => put(app, 1, { is_collection: "false", image: png(2) });
  const taken = await problemOf(await put2(), "duplicate_file", 409);
  assert.equal(taken.entity_id, 2);
  assert.equal(taken.detail, `these bytes, of MD5 ${md5}, are stored already, as entity 2`);
  await itemOf(patch(app, 2, { is_deleted: true }));
  assert.match((await problemOf(await put2(), "duplicate_file", 409)).detail, /can be restored$/);
  assert.deepEqual(await itemOf(put(app, 1, { is_collection: "false", image: png(1) })), first);
  assert.equal(app.files().length, 2);
});

Deno.test("sending an entity's bytes again mends a file that was lost", async () => {
  await using app = await testApp();
  const item = await app.add({ is_collection: "false", image: png(1) });
  Deno.removeSync(`${app.folder}/${item.file_path}`);
  await itemOf(put(app, 1, { is_collection: "false", image: png(1) }));
  assert.deepEqual(await (await app.request("/entity/1/image")).bytes(), craftPng(3, 2, 1));
});

Deno.test("PATCH changes what is sent and leaves the rest, in either form of its body", async () => {
  await using app = await testApp();
  const first = await app.add({ is_collection: "true", label: "a", description: "b" });
  const second = await itemOf(patch(app, 1, { body: { label: "c" } }));
  assert.deepEqual(
    [second.label, second.description, second.version, second.added_date],
    ["c", "b", 2, first.added_date],
  );
  const third = await itemOf(patch(app, 1, { description: null }));
  assert.deepEqual([third.label, third.description, third.version], ["c", null, 3]);
});

Deno.test("a change that changes nothing makes no version", async () => {
  await using app = await testApp();
  const item = await app.add({ is_collection: "true", label: "a" });
  assert.deepEqual(await itemOf(patch(app, 1, {})), item);
  assert.deepEqual(await itemOf(patch(app, 1, { label: "a", is_deleted: false })), item);
  assert.deepEqual(await itemOf(put(app, 1, { is_collection: "true", label: "a" })), item);
});

Deno.test("a patch that says something else than it may is refused by name", async () => {
  await using app = await testApp();
  await app.add({ is_collection: "true" });
  const cases: [unknown, RegExp][] = [
    [
      { colour: 1 },
      /^unknown member: colour: known are label, description, parent_id, is_deleted$/,
    ],
    [{ body: { id: 2 } }, /^body: unknown member: id: known are label/],
    [{ body: {}, label: "x" }, /^unknown member: label: known are body$/],
    [{ label: 7 }, /^label is 7: text or null is expected$/],
    [{ label: "x".repeat(256) }, /^label is "x{79}…: at most 255 characters are allowed$/],
    [{ label: "x".repeat(1_000_000) }, /^label is "x{79}…: at most 255 characters are allowed$/],
    [
      { description: "x".repeat(10_001) },
      /^description is "x{79}…: at most 10000 characters are allowed$/,
    ],
    [
      { label: "a\0b" },
      /^label is "a\\u0000b": text without NUL and unpaired surrogates is expected$/,
    ],
    [
      { label: "\ud800" },
      /^label is "\\ud800": text without NUL and unpaired surrogates is expected$/,
    ],
    [{ parent_id: "1" }, /^parent_id is "1": a whole number or null is expected$/],
    [{ parent_id: 1.5 }, /^parent_id is /],
    [{ parent_id: 2 ** 53 }, /^parent_id is /],
    [{ is_deleted: 1, label: 2 }, /^label is 2: .*; is_deleted is 1: true or false is expected$/],
    [[], /object/],
    ["text", /object/],
    [null, /object/],
  ];
  for (const [body, detail] of cases) {
    const answer = await patch(app, 1, body);
    assert.match((await problemOf(answer, "malformed_body", 422)).detail, detail);
  }
  const huge = await patch(app, 1, { label: "x".repeat(2_000_000) });
  await problemOf(huge, "upload_too_large", 413);
  assert.equal((await app.service.get(1)).version, 1);
});

Deno.test("odd letters are kept as they are", async () => {
  await using app = await testApp();
  const label = "\u202e\u200fש 'a' \"b\" %_ \u0001 👩‍👩‍👧";
  assert.equal((await app.add({ is_collection: "true", label })).label, label);
  assert.equal((await (await app.request("/entity/1")).json()).label, label);
});

Deno.test("what is deleted softly is left out of lists only, and can be restored", async () => {
  await using app = await testApp();
  await app.add({ is_collection: "false", image: png(1) });
  const deleted = await itemOf(patch(app, 1, { is_deleted: true }));
  assert.deepEqual([deleted.is_deleted, deleted.version], [true, 2]);
  const listed = async (query: string) =>
    (await (await app.request(`/entity/${query}`)).json()).pagination.total_items;
  assert.deepEqual([await listed(""), await listed("?include_deleted=true")], [0, 1]);
  assert.deepEqual(await (await app.request("/entity/1")).json(), deleted);
  assert.deepEqual(await (await app.request("/entity/1/image")).bytes(), craftPng(3, 2, 1));
  const again = await app.request("/entity/", form({ is_collection: "false", image: png(1) }));
  assert.deepEqual(await itemOf(again), deleted);
  await itemOf(patch(app, 1, { is_deleted: false }));
  assert.equal(await listed(""), 1);
});

Deno.test("an answer's ETag says whether an entity has changed since", async () => {
  await using app = await testApp();
  const added = await app.request("/entity/", form({ is_collection: "true" }));
  assert.equal(added.headers.get("ETag"), `"v1"`);
  await added.body?.cancel();
  const ask = (tags: string) => app.request("/entity/1", { headers: { "If-None-Match": tags } });
  for (const tags of [`"v1"`, `W/"v1"`, `"v7", "v1"`, "*"]) {
    const answer = await ask(tags);
    assert.deepEqual([answer.status, await answer.text()], [304, ""]);
  }
  await itemOf(patch(app, 1, { label: "x" }));
  const answer = await ask(`"v1"`);
  assert.deepEqual([answer.status, answer.headers.get("ETag")], [200, `"v2"`]);
  await answer.body?.cancel();
});

Deno.test("a change with If-Match is made only to what its author has seen", async () => {
  await using app = await testApp();
  await app.add({ is_collection: "true" });
  const stale = { "If-Match": `"v1"` };
  await itemOf(patch(app, 1, { label: "x" }, stale));
  const refused = [
    await patch(app, 1, { label: "y" }, stale),
    await put(app, 1, { is_collection: "true" }, stale),
    await app.request("/entity/1", { method: "DELETE", headers: stale }),
  ];
  for (const answer of refused) {
    const problem = await problemOf(answer, "precondition_failed", 412);
    assert.match(problem.detail, /^If-Match is "v1", but entity 1 is "v2" by now/);
    assert.equal(problem.version, 2);
  }
  for (const [i, tags] of [`"v2"`, `W/"v3"`, "*", `"v1", "v5"`].entries()) {
    await itemOf(patch(app, 1, { label: `${i}` }, { "If-Match": tags }));
  }
  await itemOf(app.request("/entity/1", { method: "DELETE", headers: { "If-Match": `"v6"` } }));
  const gone = await patch(app, 1, { label: "y" }, { "If-Match": "*" });
  await problemOf(gone, "entity_not_found", 404);
});

Deno.test("of two changes at once to the same state, one is made", async () => {
  await using app = await testApp();
  await app.add({ is_collection: "false", image: png(0) });
  const answers = await Promise.all(
    [1, 2].map((seed) =>
      put(app, 1, { is_collection: "false", image: png(seed) }, { "If-Match": `"v1"` })
    ),
  );
  const statuses = answers.map((answer) => answer.status).sort();
  await Promise.all(answers.map((answer) => answer.body?.cancel()));
  assert.deepEqual(statuses, [200, 412]);
  assert.equal(app.files().length, 2);
});
