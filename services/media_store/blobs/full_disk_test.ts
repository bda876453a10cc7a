import type { Item, ProblemDocument } from "@fovea/contract";
import { asJson, type ServiceProcess, startService, testNeeding } from "@fovea/testing";
import { mountSmallDisk, smallDisk } from "@fovea/testing/small_disk";
import assert from "node:assert/strict";
import { runMaintenance } from "../testing/run_maintenance.ts";
import { craftPng } from "../testing/crafted_picture.ts";
import { filesIn, form, picture, problemOf } from "../testing/test_app.ts";

const MB = 1024 * 1024;

/** A picture of a size, unlike all others. */
function filler(seed: number, size: number): Blob {
  const bytes = new Uint8Array(size);
  bytes.set(craftPng(3, 2, seed));
  return new Blob([bytes]);
}

interface FullStore extends AsyncDisposable {
  service: ServiceProcess;
  folder: string;
  items: Item[];
}

const upload = (service: ServiceProcess, image: Blob) =>
  fetch(`${service.url}/entity/`, form({ is_collection: "false", image }));

/** A service on a small disk, and that filled by its clients until nothing more is taken. */
async function openFullStore(first: Blob): Promise<FullStore> {
  await using cleanup = new AsyncDisposableStack();
  const disk = cleanup.use(await mountSmallDisk(20 * MB));
  const service = cleanup.use(await startService("media_store", { DATA_DIR: disk.path }));
  const items: Item[] = [await (await upload(service, first)).json()];
  for (let size = MB, seed = 1; size >= 4096; seed++) {
    const answer = await upload(service, filler(seed, size));
    const body: Item | ProblemDocument = await answer.json();
    if ("code" in body) {
      assert.deepEqual([body.code, answer.status], ["storage_full", 507]);
      size /= 2;
    } else items.push(body);
  }
  const owned = cleanup.move();
  return {
    service,
    folder: `${disk.path}/media_store`,
    items,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

testNeeding(
  [smallDisk],
  "a full disk refuses uploads, keeps what it has, and recovers",
  async () => {
    await using store = await openFullStore(filler(0, MB));
    const { service, folder, items } = store;
    assert.ok(items.length > 5);
    assert.deepEqual(filesIn(folder).sort(), items.map(({ file_path }) => file_path).sort());
    await problemOf(await upload(service, filler(99, MB)), "storage_full", 507);
    await problemOf(await fetch(`${service.url}/health/ready`), "not_ready", 503);
    assert.equal(
      (await fetch(`${service.url}/health`).then((answer) => answer.json())).status,
      "ok",
    );
    for (const { id, file_size } of items) {
      const image = await fetch(`${service.url}/entity/${id}/image`);
      assert.equal((await image.bytes()).length, file_size);
    }
    await remove(service, items[0]!);
    const again = await upload(service, filler(99, MB / 2));
    assert.equal(again.status, 201);
    await again.body?.cancel();
    const { code, stdout } = await runMaintenance(`${folder}/..`, "--check");
    assert.match(stdout, /nothing is wrong/);
    assert.equal(code, 0);
  },
);

testNeeding(
  [smallDisk],
  "thumbnails are made on a full disk too, and kept once it has room",
  async () => {
    await using store = await openFullStore(await picture("astronaut.png"));
    const { service, folder, items } = store;
    await fillUp(`${folder}/ballast`);
    const cached = () => [...Deno.readDirSync(`${folder}/thumbnails`)].length;
    const thumbnail = async () => {
      const answer = await fetch(`${service.url}/entity/${items[0]!.id}/thumbnail?size=1024`);
      assert.equal(answer.status, 200);
      return await answer.bytes();
    };
    const made = await thumbnail();
    assert.equal(cached(), 0);
    assert.deepEqual(filesIn(folder).filter((name) => name.startsWith("incoming")), []);
    Deno.removeSync(`${folder}/ballast`);
    await remove(service, items[1]!);
    assert.deepEqual(await thumbnail(), made);
    assert.equal(cached(), 1);
  },
);

testNeeding(
  [smallDisk],
  "a database that can't be written says so, changes nothing, and recovers",
  async () => {
    await using store = await openFullStore(filler(0, MB));
    const { service, folder, items } = store;
    await fillUp(`${folder}/ballast`);
    const change = (label: string) =>
      fetch(
        `${service.url}/entity/${items[0]!.id}`,
        asJson({ label, description: "x".repeat(10_000) }, "PATCH"),
      );
    let answered = 0;
    for (;; answered++) {
      assert.ok(answered < 10_000, "10,000 changes fit on a disk that is full");
      const answer = await change(`label ${answered}`);
      if (answer.status === 507) {
        await problemOf(answer, "storage_full", 507);
        break;
      }
      assert.equal(answer.status, 200);
      await answer.body?.cancel();
    }
    const item = async () => await (await fetch(`${service.url}/entity/${items[0]!.id}`)).json();
    assert.equal((await item()).version, 1 + answered);
    Deno.removeSync(`${folder}/ballast`);
    const changed = await change("after");
    assert.equal(changed.status, 200);
    await changed.body?.cancel();
    assert.deepEqual([(await item()).label, (await item()).version], ["after", 2 + answered]);
  },
);

async function remove(service: ServiceProcess, { id }: Item): Promise<void> {
  const answer = await fetch(`${service.url}/entity/${id}`, { method: "DELETE" });
  await answer.body?.cancel();
  assert.equal(answer.status, 200);
}

/** Leaves no byte free on the disk that a file is on. */
async function fillUp(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, append: true });
  for (let size = MB; size >= 1;) {
    try {
      await file.write(new Uint8Array(size));
    } catch (error) {
      assert.equal((error as { code?: string }).code, "ENOSPC");
      size = Math.floor(size / 2);
    }
  }
}
