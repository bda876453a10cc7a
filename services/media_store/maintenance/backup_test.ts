import type { Item, Page } from "@fovea/contract";
import { type ServiceProcess, startService, temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { craftPng } from "../testing/crafted_picture.ts";
import { form } from "../testing/test_app.ts";
import { runMaintenance } from "../testing/run_maintenance.ts";

async function add(service: ServiceProcess, seed: number): Promise<Item> {
  const upload = form({ is_collection: "false", image: new Blob([craftPng(3, 2, seed)]) });
  const answer = await fetch(`${service.url}/entity/`, upload);
  const text = await answer.text();
  assert.equal(answer.status, 201, text);
  return JSON.parse(text);
}

async function remove(service: ServiceProcess, id: number): Promise<void> {
  const answer = await fetch(`${service.url}/entity/${id}`, { method: "DELETE" });
  await answer.body?.cancel();
}

const bytesOf = async (service: ServiceProcess, id: number) =>
  await (await fetch(`${service.url}/entity/${id}/image`)).bytes();

Deno.test("a backup made while the service writes and deletes is whole, and can be started", async () => {
  await using folder = await temporaryFolder();
  await using service = await startService("media_store");
  const kept = [];
  for (let seed = 0; seed < 20; seed++) kept.push(await add(service, seed));
  let seed = 1000;
  let isCopying = true;
  const storm = Promise.all([1, 2, 3].map(async () => {
    while (isCopying) {
      const { id } = await add(service, seed++);
      if (id % 3 !== 0) await remove(service, id);
    }
  }));
  // What fails in it is heard where it is waited for.
  storm.catch(() => {});
  const targets = [1, 2, 3].map((round) => `${folder.path}/${round}`);
  for (const target of targets) {
    const { code, stdout, stderr } = await runMaintenance(service.dataDir, "--backup", target);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^backed up \d+ files, \d\.\d MB, into /);
  }
  isCopying = false;
  await storm;

  for (const target of targets) {
    const checked = await runMaintenance(target, "--check");
    assert.match(checked.stdout, /nothing is wrong/);
    assert.equal(checked.code, 0);
  }
  // What is deleted afterwards stays in the backup.
  await remove(service, kept[0]!.id);
  await using restored = await startService("media_store", { DATA_DIR: targets[2]! });
  assert.deepEqual(
    restored.log().filter(({ level }) => level !== "info"),
    [],
  );
  for (const [i, item] of kept.entries()) {
    assert.deepEqual(await (await fetch(`${restored.url}/entity/${item.id}`)).json(), item);
    assert.deepEqual(await bytesOf(restored, item.id), craftPng(3, 2, i));
  }
  // The two go their own ways from here on.
  await remove(restored, kept[1]!.id);
  assert.deepEqual(await bytesOf(service, kept[1]!.id), craftPng(3, 2, 1));
});

Deno.test("a store that isn't running, and has lost a file, is backed up all the same, and says so", async () => {
  await using folder = await temporaryFolder();
  await using service = await startService("media_store");
  const [first, second] = [await add(service, 1), await add(service, 2)];
  await service.kill("SIGKILL");
  Deno.removeSync(`${service.dataDir}/media_store/${first.file_path}`);
  const { code, stdout } = await runMaintenance(service.dataDir, "--backup", folder.path);
  assert.equal(code, 1);
  assert.match(
    stdout,
    new RegExp(`^missing: ${first.file_path} is not there: entity 1 needs it\n`),
  );
  await using restored = await startService("media_store", { DATA_DIR: folder.path });
  const { items }: Page<Item> = await (await fetch(`${restored.url}/entity/`)).json();
  assert.deepEqual(items, [first, second]);
  assert.deepEqual(await bytesOf(restored, second.id), craftPng(3, 2, 2));
});

Deno.test("a backup goes into no folder that has something in it", async () => {
  await using folder = await temporaryFolder();
  await using service = await startService("media_store");
  Deno.writeTextFileSync(`${folder.path}/note`, "mine");
  const { code, stderr } = await runMaintenance(service.dataDir, "--backup", folder.path);
  assert.equal(code, 1);
  assert.match(stderr, /^Cannot back up the store: .* has "note" in it: name an empty folder/);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["note"]);
});
