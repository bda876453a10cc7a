import type { EntityVersion, Item } from "@fovea/contract";
import assert from "node:assert/strict";
import { craftPng } from "../testing/crafted_picture.ts";
import { form, type FormFields, problemOf, type TestApp, testApp } from "../testing/test_app.ts";

const png = (seed: number) => new Blob([craftPng(3, 2, seed)]);

async function put(app: TestApp, id: number, fields: FormFields): Promise<Item> {
  const request = form({ is_collection: "false", ...fields }, "PUT");
  const answer = await app.request(`/entity/${id}`, request);
  assert.equal(answer.status, 200);
  return await answer.json();
}

const json = async (app: TestApp, path: string) => await (await app.request(path)).json();

Deno.test("every change is a version, and each can be asked for as it was", async () => {
  await using app = await testApp();
  const items = [
    await app.add({ is_collection: "false", label: "one", image: png(1) }),
    await put(app, 1, { label: "two", image: png(2) }),
    await put(app, 1, { label: "three" }),
    await app.service.patch(1, { is_deleted: true }),
  ];
  const versions: EntityVersion[] = await json(app, "/entity/1/versions");
  assert.deepEqual(
    versions.map(({ version, updated_date }) => ({ version, updated_date })),
    items.map(({ version, updated_date }) => ({ version, updated_date })),
  );
  assert.deepEqual(Object.keys(versions[0]!), ["version", "transaction_id", "updated_date"]);
  const transactions = versions.map((version) => version.transaction_id);
  assert.deepEqual(transactions, transactions.toSorted((a, b) => a - b));
  assert.equal(new Set(transactions).size, 4);

  for (const [i, seed] of [1, 2, 2, 2].entries()) {
    const item = await app.request(`/entity/1?version=${i + 1}`);
    assert.equal(item.headers.get("ETag"), `"v${i + 1}"`);
    assert.deepEqual(await item.json(), items[i]);
    const image = await app.request(`/entity/1/image?version=${i + 1}`);
    assert.equal(image.headers.get("ETag"), `"${items[i]?.sha256}"`);
    assert.deepEqual(await image.bytes(), craftPng(3, 2, seed));
  }
  const part = await app.request("/entity/1/image?version=1", { headers: { Range: "bytes=1-3" } });
  assert.equal(await part.text(), "PNG");
});

Deno.test("a version that is not there, or none at all, is refused by name", async () => {
  await using app = await testApp();
  await app.add({ is_collection: "false", image: png(1) });
  for (const path of ["/entity/1", "/entity/1/image"]) {
    const answer = await app.request(`${path}?version=2`);
    const { detail } = await problemOf(answer, "version_not_found", 404);
    assert.equal(detail, "entity 1 has no version 2: its versions are 1 to 1");
    for (const query of ["version=0", "version=-1", "version=1e0", "version=x", "versions=1"]) {
      await problemOf(await app.request(`${path}?${query}`), "invalid_parameter", 422);
    }
    await problemOf(await app.request(`${path}?version=1&version=1`), "invalid_parameter", 422);
  }
  for (const path of ["/entity/7?version=1", "/entity/7/image?version=1", "/entity/7/versions"]) {
    await problemOf(await app.request(path), "entity_not_found", 404);
  }
});

Deno.test("one file is kept for all versions and entities that have the same bytes", async () => {
  await using app = await testApp();
  const first = await app.add({ is_collection: "false", image: png(1) });
  await put(app, 1, { image: png(2) });
  const back = await put(app, 1, { image: png(1) });
  assert.deepEqual([back.version, back.file_path], [3, first.file_path]);
  assert.equal(app.files().length, 2);

  await put(app, 1, { image: png(2) });
  // Bytes that an entity had once may be another's now.
  const second = await app.add({ is_collection: "false", image: png(1) });
  assert.equal(second.file_path, first.file_path);
  assert.equal(app.files().length, 2);

  await app.service.delete(1);
  assert.deepEqual(app.files(), [second.file_path]);
  assert.deepEqual(await (await app.request("/entity/2/image")).bytes(), craftPng(3, 2, 1));
  await app.service.delete(2);
  assert.deepEqual(app.files(), []);
});

Deno.test("a file that an older version needs stays when its row can't be written again", async () => {
  await using app = await testApp();
  const item = await app.add({ is_collection: "false", image: png(1) });
  await put(app, 1, { image: png(2) });
  const answer = await app.request(
    "/entity/",
    form({ is_collection: "false", image: png(1), parent_id: "99" }),
  );
  await problemOf(answer, "invalid_parent", 400);
  assert.ok(app.files().includes(item.file_path!));
  assert.deepEqual(
    await (await app.request("/entity/1/image?version=1")).bytes(),
    craftPng(3, 2, 1),
  );
});

Deno.test("emptying the store takes the history and its files with it", async () => {
  await using app = await testApp();
  await app.add({ is_collection: "false", image: png(1) });
  await put(app, 1, { image: png(2) });
  await app.service.deleteAll();
  assert.deepEqual(app.files(), []);
  await problemOf(await app.request("/entity/1/versions"), "entity_not_found", 404);
  await app.add({ is_collection: "false", image: png(1) });
  const { transaction_id } = (await app.service.versions(2))[0]!;
  assert.ok(transaction_id > 2);
});
