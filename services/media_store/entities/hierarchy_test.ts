import type { Item } from "@fovea/contract";
import { asJson } from "@fovea/testing";
import assert from "node:assert/strict";
import { craftPng } from "../testing/crafted_picture.ts";
import { form, problemOf, type TestApp, testApp } from "../testing/test_app.ts";

const move = (app: TestApp, id: number, parent_id: number | null) =>
  app.request(`/entity/${id}`, asJson({ parent_id }, "PATCH"));

/** Adds collections, each in the one before, and returns their ids. */
async function nest(app: TestApp, depth: number): Promise<number[]> {
  const ids: number[] = [];
  for (let i = 0; i < depth; i++) {
    const parent = ids.at(-1);
    const fields = parent === undefined ? {} : { parent_id: String(parent) };
    ids.push((await app.add({ is_collection: "true", ...fields })).id);
  }
  return ids;
}

Deno.test("an entity moves into a collection, and out of it", async () => {
  await using app = await testApp();
  const [outer, inner] = await nest(app, 2) as [number, number];
  const out: Item = await (await move(app, inner, null)).json();
  assert.deepEqual([out.parent_id, out.version], [null, 2]);
  const back: Item = await (await move(app, inner, outer)).json();
  assert.deepEqual([back.parent_id, back.version], [outer, 3]);
});

Deno.test("a parent must be a collection that is there and not deleted", async () => {
  await using app = await testApp();
  await app.add({ is_collection: "false", image: new Blob([craftPng(3, 2)]) });
  const [collection] = await nest(app, 1) as [number];
  const deleted = await app.add({ is_collection: "true" });
  await app.service.patch(deleted.id, { is_deleted: true });
  const cases: [number, RegExp][] = [
    [99, /^parent_id is 99: there is no such entity$/],
    [1, /^parent_id is 1: that entity is no collection$/],
    [deleted.id, /deleted: restore it first$/],
    [collection, /a collection can't lie in itself$/],
  ];
  for (const [parent, detail] of cases) {
    const answer = await move(app, collection, parent);
    assert.match((await problemOf(answer, "invalid_parent", 400)).detail, detail);
    if (parent === collection) continue;
    const added = await app.request(
      "/entity/",
      form({ is_collection: "true", parent_id: String(parent) }),
    );
    assert.match((await problemOf(added, "invalid_parent", 400)).detail, detail);
  }
});

Deno.test("collections never lie in a circle", async () => {
  await using app = await testApp();
  const [a, b, c, d] = await nest(app, 4) as [number, number, number, number];
  for (const [id, parent] of [[a, b], [a, d], [b, d]] as const) {
    const { detail } = await problemOf(await move(app, id, parent), "invalid_parent", 400);
    assert.equal(detail, `parent_id is ${parent}: that collection lies in entity ${id} itself`);
  }
  const replaced = form({ is_collection: "true", parent_id: String(c) }, "PUT");
  await problemOf(await app.request(`/entity/${a}`, replaced), "invalid_parent", 400);
  assert.equal((await move(app, d, a)).status, 200);
  assert.equal((await move(app, b, d)).status, 200);
  const both = await Promise.all([move(app, a, c), move(app, a, b)]);
  for (const answer of both) await problemOf(answer, "invalid_parent", 400);
});

Deno.test("of two moves at once that would close a circle, one is made", async () => {
  await using app = await testApp();
  const ids = [await nest(app, 1), await nest(app, 1)].flat() as [number, number];
  const answers = await Promise.all([move(app, ids[0], ids[1]), move(app, ids[1], ids[0])]);
  const statuses = answers.map((answer) => answer.status).sort();
  await Promise.all(answers.map((answer) => answer.body?.cancel()));
  assert.deepEqual(statuses, [200, 400]);
});

Deno.test("what lies in a collection that is deleted for good moves to where that lay", async () => {
  await using app = await testApp();
  const [outer, inner] = await nest(app, 2) as [number, number];
  const picture = await app.add({
    is_collection: "false",
    image: new Blob([craftPng(3, 2)]),
    parent_id: String(inner),
  });
  const sibling = await app.add({ is_collection: "true", parent_id: String(inner) });
  await app.service.delete(inner);
  for (const { id } of [picture, sibling]) {
    const moved = await app.service.get(id);
    assert.deepEqual([moved.parent_id, moved.version], [outer, 2]);
    assert.equal((await app.service.get(id, 1)).parent_id, inner);
  }
  const [first, second] = await Promise.all(
    [picture, sibling].map(async ({ id }) => (await app.service.versions(id))[1]?.transaction_id),
  );
  assert.equal(first, second);
  await app.service.delete(outer);
  assert.equal((await app.service.get(picture.id)).parent_id, null);
});

Deno.test("a collection that is deleted softly keeps what lies in it, and takes no more", async () => {
  await using app = await testApp();
  const [outer, inner] = await nest(app, 2) as [number, number];
  await app.service.patch(outer, { is_deleted: true });
  assert.equal((await app.service.list(1, 10)).items[0]?.id, inner);
  const child = await app.service.patch(inner, { label: "still there", parent_id: outer });
  assert.deepEqual([child.parent_id, child.is_deleted, child.version], [outer, false, 2]);
  await move(app, inner, null);
  await problemOf(await move(app, inner, outer), "invalid_parent", 400);
  await app.service.patch(outer, { is_deleted: false });
  assert.equal((await move(app, inner, outer)).status, 200);
});
