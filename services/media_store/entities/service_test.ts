import type { Item, Problem } from "@fovea/contract";
import assert from "node:assert/strict";
import { craftPng } from "../testing/crafted_picture.ts";
import { form, type TestApp, testApp } from "../testing/test_app.ts";
import type { ReceivedFile } from "../transfer/upload.ts";

const png = (seed: number) => new Blob([craftPng(3, 2, seed)]);
const entity = { is_collection: false, label: null, description: null, parent_id: null };

async function received(app: TestApp, bytes: Uint8Array<ArrayBuffer>): Promise<ReceivedFile> {
  const blob = await app.spool.begin();
  await blob.write(bytes);
  return { ...await blob.finish(), blob, name: "it" };
}

Deno.test("of many uploads of the same bytes at once, one is stored", async () => {
  await using app = await testApp();
  const answers = await Promise.all(
    Array.from(
      { length: 8 },
      () => app.request("/entity/", form({ is_collection: "false", image: png(0) })),
    ),
  );
  const bodies = await Promise.all(answers.map((answer) => answer.json()));
  const statuses = answers.map((answer) => answer.status).sort();
  assert.deepEqual(statuses, [...Array(7).fill(200), 201]);
  for (const body of bodies) assert.deepEqual(body, bodies[0]);
  assert.equal(app.files().length, 1);
});

Deno.test("uploading what is being deleted leaves no row without its file", async () => {
  await using app = await testApp();
  for (let round = 0; round < 20; round++) {
    const { id } = await app.add({ is_collection: "false", image: png(round) });
    const [, answer] = await Promise.all([
      app.service.delete(id),
      app.request("/entity/", form({ is_collection: "false", image: png(round) })),
    ]);
    const { status } = answer;
    await answer.body?.cancel();
    assert.ok(status === 201 || status === 200);
  }
  const { items } = await app.service.list(1, 100);
  assert.deepEqual(app.files().sort(), items.map((item: Item) => item.file_path).sort());
});

Deno.test("different bytes of the same MD5 don't overwrite each other", async () => {
  await using app = await testApp();
  const first = await received(app, craftPng(3, 2, 1));
  const second = { ...await received(app, craftPng(3, 2, 2)), md5: first.md5 };
  const items = [];
  for (const file of [first, second]) items.push((await app.service.add(entity, file)).item);
  assert.equal(items[0]?.file_path, `files/${first.md5}.png`);
  assert.equal(items[1]?.file_path, `files/${first.md5}-${second.sha256}.png`);
  for (const [i, seed] of [1, 2].entries()) {
    const answer = await app.request(`/entity/${items[i]?.id}/image`);
    assert.deepEqual(await answer.bytes(), craftPng(3, 2, seed));
  }
});

Deno.test("a file whose row can't be written does not stay", async () => {
  await using app = await testApp();
  // The database takes no half bytes.
  const file = { ...await received(app, craftPng(3, 2)), size: 0.5 };
  await assert.rejects(app.service.add(entity, file), /cannot store REAL value in INTEGER column/);
  assert.deepEqual(app.files(), []);
});

Deno.test("an entity that is deleted while it is looked up is not found", async () => {
  await using app = await testApp();
  const { id } = await app.add({ is_collection: "false", image: png(0) });
  const item = await app.service.getFile(id);
  await app.service.delete(id);
  await assert.rejects(
    app.service.read(item),
    (error: Problem) => error.code === "entity_not_found",
  );
});
