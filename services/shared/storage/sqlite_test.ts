import { temporaryFolder, until } from "@fovea/testing";
import { type Kysely, sql } from "kysely";
import { Problem } from "@fovea/contract";
import assert from "node:assert/strict";
import { SettingsError } from "@fovea/process/settings";
import { LOG_LIMIT_BYTES } from "./write_ahead_log.ts";
import { copyOf, DamagedDatabase, openSqlite } from "./sqlite.ts";

const create = (table: string) => ({
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`CREATE TABLE ${sql.table(table)} (x INTEGER) STRICT`.execute(db);
  },
});
const OLD = { "0001_first": create("first") };
const NEW = { ...OLD, "0002_second": create("second") };

async function refused(opening: Promise<unknown>): Promise<string> {
  const error = await opening.then(() => undefined, (error) => error);
  assert.ok(error instanceof SettingsError, `expected a refusal, got ${error}`);
  return error.message;
}

Deno.test("tables are brought up to date, and what was in them stays", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/db.sqlite`;
  const older = await openSqlite(path, OLD);
  await sql`INSERT INTO first VALUES (1)`.execute(older);
  await older.destroy();
  const newer = await openSqlite(path, NEW);
  assert.equal((await sql`SELECT x FROM first`.execute(newer)).rows.length, 1);
  assert.equal((await sql`SELECT x FROM second`.execute(newer)).rows.length, 0);
  await newer.destroy();
});

Deno.test("before tables are changed, the database is copied as it was, and only then", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/db.sqlite`;
  const copies: string[] = [];
  const open = (migrations: typeof OLD) =>
    openSqlite(path, migrations, "power_cut", (copy) => copies.push(copy));
  const first = await open(OLD);
  await sql`INSERT INTO first VALUES (1)`.execute(first);
  await first.destroy();
  await (await open(OLD)).destroy();
  assert.deepEqual(copies, []);

  // One that was left half made is replaced.
  await Deno.writeTextFile(`${copyOf(path)}.part`, "half a copy");
  await (await open(NEW)).destroy();
  assert.deepEqual(copies, [copyOf(path)]);
  const older = await openSqlite(copyOf(path), OLD);
  assert.equal((await sql`SELECT x FROM first`.execute(older)).rows.length, 1);
  await older.destroy();
  await (await open(NEW)).destroy();
  assert.equal(copies.length, 1);
});

Deno.test("tables are not changed where the database can't be copied first", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/db.sqlite`;
  await (await openSqlite(path, OLD)).destroy();
  // A folder can't be replaced by a file.
  await Deno.mkdir(`${copyOf(path)}/full`, { recursive: true });
  assert.match(
    await refused(openSqlite(path, NEW)),
    /before its tables are changed it is to be cop/,
  );
  await (await openSqlite(path, OLD)).destroy();
});

Deno.test("a database of a newer version is refused, and not touched", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/db.sqlite`;
  await (await openSqlite(path, NEW)).destroy();
  const before = await Deno.readFile(path);
  const message = await refused(openSqlite(path, OLD));
  assert.match(message, /newer version of this service, which knows of 0002_second: start that/);
  assert.ok(message.includes(path));
  assert.deepEqual(await Deno.readFile(path), before);
  await (await openSqlite(path, NEW)).destroy();
});

Deno.test("an empty file in a database's place is refused, with what to do", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/db.sqlite`;
  await Deno.writeTextFile(path, "");
  assert.match(
    await refused(openSqlite(path, OLD)),
    /db\.sqlite is empty: put a backup .* or remove/,
  );
});

Deno.test("damage that is met while the database is used is named, with what to do", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/db.sqlite`;
  await (await openSqlite(path, OLD)).destroy();
  const db = await openSqlite(path, OLD);
  for (let i = 0; i < 500; i++) await sql`INSERT INTO first VALUES (${i})`.execute(db);
  const [{ page } = { page: 0 }] = (await sql<{ page: number }>`
    SELECT rootpage AS page FROM sqlite_schema WHERE name = 'first'`.execute(db)).rows;
  await db.destroy();
  const file = await Deno.open(path, { write: true });
  await file.seek((page - 1) * 4096, Deno.SeekMode.Start);
  await file.write(new Uint8Array(4096).fill(0x55));
  file.close();

  await using damaged = await openSqlite(path, OLD);
  await assert.rejects(
    sql`SELECT * FROM first`.execute(damaged),
    (error) =>
      error instanceof DamagedDatabase && error.message.includes(`${path} is damaged`) &&
      /put a backup of all DATA_DIR/.test(error.message),
  );
});

Deno.test("a file that is no database is refused by name", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/db.sqlite`;
  await Deno.writeTextFile(path, "not a database, however long one looks at it".repeat(100));
  assert.match(
    await refused(openSqlite(path, OLD)),
    /db\.sqlite can't be used: file is not/,
  );
});

Deno.test("a transaction that fails for want of room says so, and the next one works", async () => {
  await using folder = await temporaryFolder();
  await using db = await openSqlite<{ first: { x: Uint8Array } }>(`${folder.path}/db.sqlite`, {
    "0001_first": {
      up: async (db: Kysely<unknown>) => {
        await sql`CREATE TABLE first (x BLOB) STRICT`.execute(db);
      },
    },
  });
  await sql`PRAGMA max_page_count = 20`.execute(db);
  const insert = (bytes: number) =>
    db.transaction().execute(async (transaction) => {
      await transaction.insertInto("first").values({ x: new Uint8Array(bytes) }).execute();
    });
  await assert.rejects(insert(200_000), { errcode: 13 });
  await insert(10);
});

Deno.test("a database waits for the disk as its owner said, from the first transaction to the last", async () => {
  await using folder = await temporaryFolder();
  for (const [surviving, level] of [["power_cut", 2], ["crash", 1]] as const) {
    await using db = await openSqlite<{ first: { x: number } }>(
      `${folder.path}/${surviving}.sqlite`,
      OLD,
      surviving,
    );
    await db.insertInto("first").values({ x: 1 }).execute();
    const { rows } = await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(db);
    assert.equal(rows[0]?.synchronous, level);
  }
});

Deno.test("the log is copied into the file when nobody writes for a moment, and gives back its room", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/db.sqlite`;
  const alone = `${folder.path}/alone.sqlite`;
  const db = await openSqlite<{ first: { x: number } }>(path, OLD);
  const rowsInFile = async () => {
    await Deno.copyFile(path, alone);
    await using copy = await openSqlite<{ first: { x: number } }>(alone, OLD);
    return (await copy.selectFrom("first").selectAll().execute()).length;
  };
  const untilIn = (rows: number) =>
    until(`${rows} rows in the file`, async () => await rowsInFile() === rows);
  const logSize = async () => (await Deno.stat(`${path}-wal`)).size;
  await db.insertInto("first").values({ x: 1 }).execute();
  await untilIn(1);

  // One transaction that is larger than the log may be.
  await sql`
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 1000000)
    INSERT INTO first SELECT n FROM number`.execute(db);
  assert.ok(await logSize() > LOG_LIMIT_BYTES.power_cut);
  await db.insertInto("first").values({ x: 2 }).execute();
  assert.ok(await logSize() <= LOG_LIMIT_BYTES.power_cut, `the log has ${await logSize()} bytes`);
  await db.destroy();
  await assert.rejects(Deno.stat(`${path}-wal`), Deno.errors.NotFound);
});

Deno.test("nothing is written where the file was moved away, and all goes on when it is back", async () => {
  await using folder = await temporaryFolder();
  const [here, away] = [`${folder.path}/here`, `${folder.path}/away`];
  await Deno.mkdir(here);
  await using db = await openSqlite<{ first: { x: number } }>(`${here}/db.sqlite`, OLD);
  const insert = () => db.insertInto("first").values({ x: 1 }).execute();
  const inTransaction = () =>
    db.transaction().execute((tx) => tx.insertInto("first").values({ x: 1 }).execute());
  const rows = async () => (await db.selectFrom("first").selectAll().execute()).length;
  const isMissing = (error: unknown) =>
    error instanceof Problem && error.code === "storage_missing";
  await insert();
  await Deno.rename(here, away);
  await assert.rejects(insert(), isMissing);
  await assert.rejects(inTransaction(), isMissing);
  assert.equal(await rows(), 1);
  await Deno.rename(away, here);
  await inTransaction();
  assert.equal(await rows(), 2);
});
