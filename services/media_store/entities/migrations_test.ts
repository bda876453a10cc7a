import { openSqlite } from "@fovea/storage/sqlite";
import { runServiceToEnd, startService, temporaryFolder } from "@fovea/testing";
import { sql } from "kysely";
import assert from "node:assert/strict";
import { EntityListing } from "./listing.ts";
import { migrations, type Tables } from "./migrations.ts";
import { EntityRepository } from "./repository.ts";
import { VersionRepository } from "./versions.ts";

Deno.test("entities of a store from before there were versions have one, and are found", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/entities.sqlite`;
  {
    const { "001_entities": first } = migrations;
    await using db = await openSqlite<Tables>(path, { "001_entities": first! });
    for (const label of ["Café", "harbour"]) {
      await sql`
        insert into entities (is_collection, label, added_date, updated_date)
        values (1, ${label}, 5, 5)`.execute(db);
    }
  }
  await using db = await openSqlite<Tables>(path, migrations);
  const versions = new VersionRepository(db);
  const entities = new EntityRepository(db);
  const found = await new EntityListing(db).page({ search: "cafe" }, 0, 20);
  assert.deepEqual(found.items.map((item) => item.id), [1]);
  assert.deepEqual(await versions.find(1, 1), await entities.find(1));
  assert.deepEqual(await versions.list(2), [{ version: 1, transaction_id: 2, updated_date: 5 }]);
  await entities.update({ ...(await entities.find(1))!, version: 2 });
  assert.equal((await versions.list(1))[1]?.transaction_id, 3);
});

Deno.test("a step that fails leaves the database as it was", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/entities.sqlite`;
  const half = {
    async up(db: Parameters<typeof migrations[string]["up"]>[0]) {
      await db.schema.createTable("added").addColumn("id", "integer").execute();
      throw new Error("power cut");
    },
  };
  await assert.rejects(openSqlite(path, { ...migrations, "999_half": half }), /power cut/);
  await using db = await openSqlite<Tables>(path, migrations);
  const { rows } = await sql`select name from sqlite_schema where name = 'added'`.execute(db);
  assert.deepEqual(rows, []);
});

Deno.test("a store of a newer version is refused and left alone", async () => {
  await using service = await startService("media_store");
  await service.kill("SIGTERM");
  const path = `${service.dataDir}/media_store/entities.sqlite`;
  {
    const newer = { ...migrations, "900_newer": { up: () => Promise.resolve() } };
    await using _db = await openSqlite<Tables>(path, newer);
  }
  const { code, stderr } = await runServiceToEnd("media_store", { DATA_DIR: service.dataDir });
  assert.notEqual(code, 0);
  assert.match(stderr, /900_newer/);
});
