import type { Item } from "@fovea/contract";
import { type ServiceProcess, startService, temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { craftPng } from "../testing/crafted_picture.ts";
import { filesIn, form, problemOf } from "../testing/test_app.ts";
import { runMaintenance } from "../testing/run_maintenance.ts";

async function send(
  service: ServiceProcess,
  seed: number,
  method = "POST",
  id = "",
): Promise<Item> {
  const upload = form({ is_collection: "false", image: new Blob([craftPng(3, 2, seed)]) });
  const answer = await fetch(`${service.url}/entity/${id}`, { ...upload, method });
  assert.ok(answer.ok, `${method} /entity/${id}: ${answer.status} ${await answer.clone().text()}`);
  return await answer.json();
}

const folderOf = (service: ServiceProcess) => `${service.dataDir}/media_store`;

Deno.test("a sound store is found sound, beside a service that goes on changing it", async () => {
  await using service = await startService("media_store");
  let seed = 0;
  const ids: number[] = [];
  const many = Array.from({ length: 4 }, async () => {
    for (let i = 0; i < 75; i++) ids.push((await send(service, seed++)).id);
  });
  await Promise.all(many);
  let isChecking = true;
  const storm = Promise.all(many.map(async () => {
    while (isChecking) {
      const { id } = await send(service, seed++);
      await send(service, seed++, "PUT", String(id));
      // Only now may another lane delete it.
      ids.push(id);
      for (const id of ids.splice(0, 2)) {
        await (await fetch(`${service.url}/entity/${id}`, { method: "DELETE" })).body?.cancel();
      }
    }
  }));
  // Awaited only below: what fails meanwhile must not end the whole test run.
  storm.catch(() => {});
  try {
    for (let round = 0; round < 3; round++) {
      const { code, stdout, stderr } = await runMaintenance(service.dataDir, "--check");
      assert.match(
        stdout,
        /^checked \d+ files, \d\.\d MB, and the database: nothing is wrong\n$/,
      );
      assert.deepEqual([code, stderr], [0, ""]);
    }
  } finally {
    isChecking = false;
    await storm;
  }
});

Deno.test("everything that is wrong with a store is found, of old versions too, and moved aside", async () => {
  await using service = await startService("media_store");
  const items = [];
  for (let seed = 0; seed < 4; seed++) items.push(await send(service, seed));
  const [damaged, cut, lost, changed] = items as [Item, Item, Item, Item];
  await send(service, 9, "PUT", String(changed.id));
  const folder = folderOf(service);
  const bytes = Deno.readFileSync(`${folder}/${damaged.file_path}`);
  bytes[20]! ^= 1;
  Deno.writeFileSync(`${folder}/${damaged.file_path}`, bytes);
  Deno.truncateSync(`${folder}/${cut.file_path}`, 10);
  Deno.removeSync(`${folder}/${lost.file_path}`);
  Deno.truncateSync(`${folder}/${changed.file_path}`, 10);
  Deno.writeFileSync(`${folder}/files/stray.png`, bytes);

  const found = await runMaintenance(service.dataDir, "--check");
  const lines = found.stdout.trim().split("\n");
  assert.equal(found.code, 1);
  assert.match(lines.pop()!, /^checked 5 files, .*: 5 things are wrong$/);
  assert.deepEqual(
    lines.map((line) => line.replace(/[0-9a-f]{64}/, "…")).sort(),
    [
      `missing: ${lost.file_path} is not there: entity ${lost.id} needs it`,
      "needed by nobody: files/stray.png no entity has it",
      `wrong digest: ${damaged.file_path} has SHA-256 …: entity ${damaged.id} needs it`,
      `wrong size: ${changed.file_path} has 10 bytes instead of 61: entity ${changed.id} needs it`,
      `wrong size: ${cut.file_path} has 10 bytes instead of 61: entity ${cut.id} needs it`,
    ].sort(),
  );

  const busy = await runMaintenance(service.dataDir, "--check", "--repair");
  assert.equal(busy.code, 2);
  assert.match(busy.stderr, /another media_store, process \d+, uses/);
  await service.kill("SIGTERM");

  const repaired = await runMaintenance(service.dataDir, "--check", "--repair");
  assert.equal(repaired.code, 1);
  assert.equal(repaired.stdout.match(/^ {2}moved to quarantine\/\d+-/gm)?.length, 4);
  assert.equal([...Deno.readDirSync(`${folder}/quarantine`)].length, 4);
  const left = await runMaintenance(service.dataDir, "--check");
  assert.equal(left.stdout.match(/^missing: /gm)?.length, 4);
  assert.match(left.stdout, /4 things are wrong/);

  // What was lost comes back by sending the same bytes again.
  await using second = await startService("media_store", { DATA_DIR: service.dataDir });
  const image = `${second.url}/entity/${lost.id}/image`;
  await problemOf(await fetch(image), "internal_error", 500);
  await send(second, 2, "PUT", String(lost.id));
  assert.deepEqual(await (await fetch(image)).bytes(), craftPng(3, 2, 2));
});

Deno.test("a database that is damaged is reported as such", async () => {
  await using service = await startService("media_store");
  await send(service, 0);
  await service.kill("SIGTERM");
  Deno.writeTextFileSync(`${folderOf(service)}/entities.sqlite`, "no database any longer");
  const { code, stderr } = await runMaintenance(service.dataDir, "--check");
  assert.equal(code, 1);
  assert.match(stderr, /^Cannot check the store: file is not a database/);
});

Deno.test("options that say nothing, or too much, are refused with the usage", async () => {
  await using folder = await temporaryFolder();
  const cases: [string[], RegExp][] = [
    [["--chek"], /unknown option '--chek'/],
    [["--repair"], /--repair goes with --check/],
    [["--check", "--backup", "x"], /one after the other/],
    [["--backup"], /--backup/],
    [["there"], /there/],
  ];
  for (const [options, message] of cases) {
    const { code, stdout, stderr } = await runMaintenance(folder.path, ...options);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, message);
    assert.match(stderr, /Usage: .\/fovea media-store \[--check/);
  }
  const help = await runMaintenance(folder.path, "--help");
  assert.deepEqual([help.code, help.stderr], [0, ""]);
  assert.match(help.stdout, /^Usage: /);
  const none = await runMaintenance(folder.path, "--check");
  assert.deepEqual(
    [none.code, none.stderr],
    [1, `Cannot find a store in ${folder.path}/media_store: set DATA_DIR\n`],
  );
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("a check of a service that was killed finds nothing wrong after the next start", async () => {
  await using first = await startService("media_store");
  for (let seed = 0; seed < 5; seed++) await send(first, seed);
  await first.kill("SIGKILL");
  await using second = await startService("media_store", { DATA_DIR: first.dataDir });
  assert.equal((await runMaintenance(second.dataDir, "--check")).code, 0);
  assert.equal(filesIn(folderOf(second)).length, 5);
});
