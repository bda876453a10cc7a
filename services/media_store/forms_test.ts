import type { Item } from "@fovea/contract";
import { asJson, startService } from "@fovea/testing";
import assert from "node:assert/strict";
import { craftPng } from "./testing/crafted_picture.ts";
import { filesIn, form, problemOf } from "./testing/test_app.ts";

const urlencoded = (fields: Record<string, string>, method = "POST") => ({
  method,
  body: new URLSearchParams(fields),
});

const upload = (seed: number, field = "image", method = "POST") =>
  form({ is_collection: "false", [field]: new Blob([craftPng(3, 2, seed)]) }, method);

async function itemOf(answer: Response, status: number): Promise<Item> {
  const item = await answer.json();
  assert.equal(answer.status, status, item.detail);
  return item;
}

Deno.test("a form without a file may come urlencoded: collections, and what is said of an entity", async () => {
  await using service = await startService("media_store");
  const url = `${service.url}/entity/`;
  const cats = await itemOf(
    await fetch(url, urlencoded({ is_collection: "true", label: "Cats & dogs", parent_id: "" })),
    201,
  );
  assert.deepEqual([cats.is_collection, cats.label, cats.parent_id], [true, "Cats & dogs", null]);
  const picture = await itemOf(await fetch(url, upload(1)), 201);
  const change = { is_collection: "false", label: "Café", parent_id: String(cats.id) };
  const changed = await itemOf(await fetch(url + picture.id, urlencoded(change, "PUT")), 200);
  assert.deepEqual(
    [changed.label, changed.parent_id, changed.sha256, changed.version],
    ["Café", cats.id, picture.sha256, 2],
  );
  const cases: [Record<string, string>, string, RegExp][] = [
    [{ is_collection: "false" }, "missing_file", /^file is missing: send it as/],
    [{ is_collection: "false", image: "it" }, "missing_file", /^image came as text: .*multipart/],
    [{ label: "x" }, "missing_field", /^is_collection is missing/],
  ];
  for (const [fields, code, detail] of cases) {
    const answer = await fetch(url, urlencoded(fields));
    const problem = await answer.json();
    assert.equal(problem.code, code);
    assert.match(problem.detail, detail);
  }
  const empty = {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  };
  assert.equal((await (await fetch(url, empty)).json()).code, "missing_field");
});

Deno.test("the same picture sent twice is the same entity, also one that is deleted softly", async () => {
  await using service = await startService("media_store");
  const url = `${service.url}/entity/`;
  const item = await itemOf(await fetch(url, upload(1)), 201);
  assert.deepEqual(await itemOf(await fetch(url, upload(1, "file")), 200), item);
  const patch = asJson({ is_deleted: true }, "PATCH");
  const headers = { "Content-Type": "application/json" };
  const deleted = await itemOf(await fetch(url + item.id, { ...patch, headers }), 200);
  assert.equal(deleted.is_deleted, true);
  assert.deepEqual(await itemOf(await fetch(url, upload(1)), 200), deleted);

  const other = await itemOf(await fetch(url, upload(2)), 201);
  const taken = await fetch(url + other.id, upload(1, "image", "PUT"));
  const { detail, entity_id } = await problemOf(taken, "duplicate_file", 409);
  assert.equal(entity_id, item.id);
  assert.match(detail, new RegExp(`${item.md5}.* entity ${item.id}\\b`));
  const collection = await fetch(url + item.id, urlencoded({ is_collection: "true" }, "PUT"));
  await problemOf(collection, "is_collection_fixed", 400);
});

Deno.test("the same picture sent twice at the same moment is one entity", async () => {
  await using service = await startService("media_store");
  for (let round = 1; round <= 10; round++) {
    const answers = await Promise.all(
      ["image", "file"].map((field) => fetch(`${service.url}/entity/`, upload(round, field))),
    );
    const items = await Promise.all(answers.map((answer) => answer.json()));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 201]);
    assert.deepEqual(items[0], items[1]);
    assert.equal(items[0].id, round);
  }
  assert.equal(filesIn(`${service.dataDir}/media_store`).length, 10);
});
