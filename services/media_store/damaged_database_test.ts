import { runServiceToEnd, startService, temporaryFolder } from "@fovea/testing";
import { BARE } from "@fovea/testing/suite";
import assert from "node:assert/strict";

/** Pages of 4 KiB with the tables that tell of migrations: what is damaged lies behind them. */
const FIRST_PAGES = 5 * 4096;

Deno.test("a database with damaged pages ends the start in a sentence that says what to do", async () => {
  await using folder = await temporaryFolder();
  const env = { DATA_DIR: folder.path };
  {
    await using service = await startService("media_store", env);
    assert.equal((await service.kill("SIGTERM")).code, 0);
  }
  const path = `${folder.path}/media_store/entities.sqlite`;
  const bytes = await Deno.readFile(path);
  await Deno.writeFile(path, bytes.fill(0x55, FIRST_PAGES));
  const { code, stderr } = await runServiceToEnd("media_store", env);
  assert.equal(code, 2);
  assert.ok(stderr.includes(`the database ${path} is damaged`), stderr);
  assert.match(stderr, /put a backup of all DATA_DIR in its place/);
  assert.doesNotMatch(stderr, /\n\s+at /, "a stack trace");
});

Deno.test("an empty database is not taken for a new one", async () => {
  await using folder = await temporaryFolder();
  for (const [name, file] of [["media_store", "entities"], ["inference", "inference"]] as const) {
    const path = `${folder.path}/${name}/${file}.sqlite`;
    await Deno.mkdir(`${folder.path}/${name}`);
    await Deno.writeTextFile(path, "");
    const { code, stderr } = await runServiceToEnd(name, { ...BARE, DATA_DIR: folder.path });
    assert.equal(code, 2);
    assert.ok(stderr.includes(`the database ${path} is empty`), stderr);
  }
});
