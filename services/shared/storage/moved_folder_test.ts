import {
  asJson,
  type ServiceName,
  type ServiceProcess,
  startService,
  type TemporaryFolder,
  temporaryFolder,
  until,
} from "@fovea/testing";
import { BARE, untilReady } from "@fovea/testing/suite";
import assert from "node:assert/strict";

const picture = await Deno.readFile(
  new URL("../../../clients/images/horse.png", import.meta.url),
);

interface Moving extends AsyncDisposable {
  service: ServiceProcess;
  /** Renames DATA_DIR, and back. */
  moveAway(): Promise<void>;
  moveBack(): Promise<void>;
  call(path: string, init?: RequestInit): Promise<{ status: number; text: string }>;
  folder: TemporaryFolder;
}

async function start(name: ServiceName): Promise<Moving> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await temporaryFolder());
  const [here, away] = [`${folder.path}/data`, `${folder.path}/away`];
  const service = cleanup.use(await startService(name, { ...BARE, DATA_DIR: here }));
  const owned = cleanup.move();
  return {
    service,
    folder,
    moveAway: () => Deno.rename(here, away),
    moveBack: () => Deno.rename(away, here),
    async call(path, init) {
      const answer = await fetch(`${service.url}${path}`, init);
      return { status: answer.status, text: await answer.text() };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function untilLogged(service: ServiceProcess, pattern: RegExp): Promise<void> {
  await until(
    `a line like ${pattern}`,
    () => service.log().some(({ msg }) => pattern.test(msg)),
  );
}

const upload = (): RequestInit => {
  const body = new FormData();
  body.set("is_collection", "false");
  body.set("image", new File([picture], "horse.png"));
  return { method: "POST", body };
};

Deno.test("media_store refuses to write and to read files while DATA_DIR is away, and goes on then", async () => {
  await using moving = await start("media_store");
  const { call, service } = moving;
  const stored = await call("/entity/", upload());
  assert.equal(stored.status, 201);
  const { id } = JSON.parse(stored.text);
  const label = asJson({ label: "changed" }, "PATCH");

  await moving.moveAway();
  const ready = await call("/health/ready");
  assert.equal(ready.status, 503);
  assert.match(ready.text, /DATA_DIR is not where it was when the service started/);
  for (
    const [path, init] of [
      ["/entity/", upload()],
      [`/entity/${id}`, label],
      [`/entity/${id}`, { method: "DELETE" }],
      [`/entity/${id}/image`, {}],
    ] as [string, RequestInit][]
  ) {
    const { status, text } = await call(path, init);
    assert.deepEqual([status, JSON.parse(text).code], [503, "storage_missing"], text);
    assert.ok(!text.includes(moving.folder.path));
  }
  assert.equal((await call("/health")).status, 200);
  await untilLogged(service, /DATA_DIR was moved away or replaced: nothing is written/);

  await moving.moveBack();
  assert.equal((await call("/health/ready")).status, 200);
  assert.equal(JSON.parse((await call(`/entity/${id}`)).text).label, null);
  assert.equal((await call(`/entity/${id}/image`)).status, 200);
  assert.equal(JSON.parse((await call(`/entity/${id}`, label)).text).label, "changed");
  await untilLogged(service, /DATA_DIR is back/);
});

Deno.test("another folder in the place of DATA_DIR is not written", async () => {
  await using moving = await start("media_store");
  const { call, folder } = moving;
  const { id } = JSON.parse((await call("/entity/", upload())).text);
  await moving.moveAway();
  await Deno.mkdir(`${folder.path}/data/media_store`, { recursive: true });
  const imposter = `${folder.path}/data/media_store/entities.sqlite`;
  await Deno.copyFile(`${folder.path}/away/media_store/entities.sqlite`, imposter);
  await Deno.writeTextFile(`${imposter}-wal`, "of another");
  const { status, text } = await call(`/entity/${id}`, asJson({ label: "changed" }, "PATCH"));
  assert.deepEqual([status, JSON.parse(text).code], [503, "storage_missing"]);
  assert.match(text, /DATA_DIR is another one than when the service started/);
  await moving.service.kill("SIGTERM");
  assert.equal(await Deno.readTextFile(`${imposter}-wal`), "of another");
});

Deno.test("inference takes no job while DATA_DIR is away, says why, and goes on then", async () => {
  await using moving = await start("empty_inference");
  const { call, service } = moving;
  await untilReady(service);
  const submit = (media_store_id: number) =>
    call("/job/image_embedding", asJson({ media_store_id, force: true }));
  const first = await submit(1);
  assert.equal(first.status, 201);

  await moving.moveAway();
  const { status, text } = await call("/health/ready");
  assert.equal(status, 503);
  const { checks } = JSON.parse(text);
  assert.equal(checks.database.state, "failed");
  assert.match(checks.database.detail, /DATA_DIR is not where it was when the service started/);
  const refused = await submit(2);
  assert.deepEqual([refused.status, JSON.parse(refused.text).code], [503, "storage_missing"]);
  const { job_id } = JSON.parse(first.text);
  assert.equal((await call(`/job/${job_id}`)).status, 200);

  await moving.moveBack();
  const second = await submit(3);
  assert.equal(second.status, 201);
  const listed = JSON.parse((await call("/job/")).text);
  assert.deepEqual(
    listed.items.map(({ media_store_id }: { media_store_id: number }) => media_store_id).sort(),
    [1, 3],
  );
});
