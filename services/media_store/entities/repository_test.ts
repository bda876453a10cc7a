import { openSqlite } from "@fovea/storage/sqlite";
import { type Item, Problem } from "@fovea/contract";
import { temporaryFolder } from "@fovea/testing";
import { sql } from "kysely";
import assert from "node:assert/strict";
import { NO_FILE } from "./file_metadata.ts";
import { EntityListing } from "./listing.ts";
import { migrations, type Tables } from "./migrations.ts";
import { EntityRepository, type NewItem } from "./repository.ts";
import { VersionRepository } from "./versions.ts";

const collection: NewItem = {
  is_collection: true,
  label: null,
  description: null,
  parent_id: null,
  added_date: 1,
  updated_date: 1,
  is_deleted: false,
  ...NO_FILE,
  version: 1,
};

async function openStore() {
  const folder = await temporaryFolder();
  const db = await openSqlite<Tables>(`${folder.path}/entities.sqlite`, migrations);
  return {
    db,
    /** Bytes of what was written since the store was opened. */
    written: () => Deno.statSync(`${folder.path}/entities.sqlite-wal`).size,
    entities: new EntityRepository(db),
    versions: new VersionRepository(db),
    listing: new EntityListing(db),
    async [Symbol.asyncDispose]() {
      await db.destroy();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const isFull = (error: unknown) => error instanceof Problem && error.code === "storage_full";

Deno.test("a database without room changes nothing, says so, and goes on once there is some", async () => {
  await using store = await openStore();
  const { db, entities, versions, listing } = store;
  const stored: Item[] = [];
  const description = "forty-two ".repeat(1000);
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db);
  const limit = async (pages: number) => {
    await sql`pragma max_page_count = ${sql.lit(pages)}`.execute(db);
  };
  await limit(rows[0]!.page_count + 60);
  await assert.rejects(async () => {
    for (let i = 0; i < 1000; i++) {
      stored.push(await entities.insert({ ...collection, description }));
    }
  }, isFull);
  const last = stored.at(-1)!;
  await assert.rejects(
    // Longer than an insert that found no room any more.
    entities.update({ ...last, version: 2, description: description.repeat(3) }),
    isFull,
  );
  const check = async () => {
    const { items, total } = await listing.page({ search: "two" }, 0, 100);
    assert.deepEqual([items, total], [stored, stored.length]);
    for (const { id } of stored) assert.equal((await versions.list(id)).length, 1);
  };
  await check();
  await limit(1_000_000);
  stored.push(await entities.insert({ ...collection, description }));
  await check();
});

Deno.test("a collection may have more in it than a statement has parameters", async () => {
  await using store = await openStore();
  const { db, entities, versions } = store;
  const { id } = await entities.insert(collection);
  const children = 40_000;
  await sql`
    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${children})
    insert into entities (is_collection, parent_id, added_date, updated_date, version)
    select 1, ${id}, 1, 1, 1 from numbers`.execute(db);
  await entities.delete(id, 2);
  assert.deepEqual(await versions.list(id), []);
  for (const child of [id + 1, id + children]) {
    assert.deepEqual(await versions.list(child), [
      { version: 2, transaction_id: 2, updated_date: 2 },
    ]);
  }
});

Deno.test("asking whether the database can be written writes it, each time", async () => {
  await using store = await openStore();
  const { entities, written } = store;
  for (const now of [5, 5, 4]) {
    const before = written();
    await entities.probe(now);
    assert.ok(written() > before);
  }
});
