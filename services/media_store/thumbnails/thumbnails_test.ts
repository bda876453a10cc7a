import { openLog } from "@fovea/process/log";
import type { Problem } from "@fovea/contract";
import { temporaryFolder, until } from "@fovea/testing";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { BlobStore } from "../blobs/blob_store.ts";
import { Spool } from "../blobs/spool.ts";
import { ThumbnailCache } from "./cache.ts";
import type { FileItem } from "../entities/file_metadata.ts";
import { makePicture } from "../testing/made_pictures.ts";
import { scriptedThread } from "../testing/scripted_thread.ts";
import { type ThumbnailOptions, Thumbnails } from "./thumbnails.ts";

const log = openLog("media_store", { LOG_LEVEL: "error", LOG_FORMAT: "json" });

interface Studio extends AsyncDisposable {
  folder: string;
  thumbnails: Thumbnails;
  /** Keeps bytes as the file of an entity. */
  keep(bytes: Uint8Array<ArrayBuffer>, mime_type?: string): Promise<FileItem>;
  remove(item: FileItem): Promise<void>;
  /** Names of the thumbnails that are cached. */
  cached(): string[];
}

async function openStudio(options: Partial<ThumbnailOptions> = {}): Promise<Studio> {
  await using cleanup = new AsyncDisposableStack();
  const { path: folder } = cleanup.use(await temporaryFolder());
  const spool = await Spool.open(folder);
  const blobs = await BlobStore.open(folder, spool);
  const cache = await ThumbnailCache.open(folder, spool, blobs);
  const thumbnails = cleanup.use(
    new Thumbnails({ blobs, cache, maxPixels: 1_000_000, log, ...options }),
  );
  const owned = cleanup.move();
  return {
    folder,
    thumbnails,
    async remove({ file_path }) {
      await blobs.remove(file_path);
      await cache.remove(file_path);
    },
    async keep(bytes, mime_type = "image/png") {
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const file_path = `files/${sha256.slice(0, 8)}.png`;
      await using blob = await spool.begin();
      await blob.write(bytes);
      await blob.finish();
      await blobs.put(file_path, blob);
      return { id: 1, sha256, file_path, mime_type } as FileItem;
    },
    cached: () =>
      [...Deno.readDirSync(`${folder}/thumbnails`)].flatMap(({ name }) =>
        [...Deno.readDirSync(`${folder}/thumbnails/${name}`)].map((file) => file.name)
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const png = (width: number) => makePicture("Png", { width, height: 100 });

const refusal = (making: Promise<unknown>): Promise<Problem> =>
  making.then(() => assert.fail("was made"), (error) => error);

Deno.test("a thumbnail is made once and then comes from the disk", async () => {
  await using studio = await openStudio();
  const item = await studio.keep(png(300));
  const made = await studio.thumbnails.get(item, 64, "webp");
  assert.deepEqual(studio.cached(), [`${item.sha256}-64-3.webp`]);
  // Whether it does is told by other bytes in its place.
  const cache = `${studio.folder}/thumbnails/${item.file_path.slice(6)}/${studio.cached()[0]}`;
  assert.deepEqual(Deno.readFileSync(cache), made);
  Deno.writeFileSync(cache, new Uint8Array([1, 2, 3]));
  assert.deepEqual(await studio.thumbnails.get(item, 64, "webp"), new Uint8Array([1, 2, 3]));
});

Deno.test("many who ask for the same at once cause it to be made once", async () => {
  await using folder = await temporaryFolder();
  const count = `${folder.path}/count`;
  await using studio = await openStudio({
    script: scriptedThread(`async ({ size }) => {
      Deno.writeTextFileSync(${JSON.stringify(count)}, "x", { append: true });
      await pause(50);
      return new Uint8Array([size]);
    }`),
  });
  const item = await studio.keep(png(300));
  const made = await Promise.all(
    Array.from({ length: 50 }, () => studio.thumbnails.get(item, 64, "webp")),
  );
  for (const thumbnail of made) assert.deepEqual(thumbnail, new Uint8Array([64]));
  assert.equal(Deno.readTextFileSync(count), "x");
});

Deno.test("thumbnails go with their picture", async () => {
  await using studio = await openStudio();
  const [first, second] = [await studio.keep(png(300)), await studio.keep(png(301))];
  for (const item of [first, second]) await studio.thumbnails.get(item, 64, "webp");
  await studio.remove(first);
  assert.deepEqual(studio.cached(), [`${second.sha256}-64-3.webp`]);
});

Deno.test("a thumbnail whose picture goes while it is made leaves nothing", async () => {
  await using studio = await openStudio({
    script: scriptedThread(`async () => {
      await pause(100);
      return new Uint8Array(1);
    }`),
  });
  const item = await studio.keep(png(300));
  const making = studio.thumbnails.get(item, 64, "webp");
  const incoming = () => [...Deno.readDirSync(`${studio.folder}/incoming`)];
  await until("a thumbnail that is being made", () => incoming().length > 0);
  await studio.remove(item);
  assert.equal((await making).length, 1);
  assert.deepEqual(studio.cached(), []);
  assert.deepEqual(incoming(), []);
});

Deno.test("thumbnails that a crash left without their picture go at the next start", async () => {
  await using studio = await openStudio();
  const item = await studio.keep(png(300));
  await studio.thumbnails.get(item, 64, "webp");
  Deno.mkdirSync(`${studio.folder}/thumbnails/gone.png`);
  Deno.writeFileSync(`${studio.folder}/thumbnails/gone.png/a-64-3.webp`, new Uint8Array(1));
  const spool = await Spool.open(studio.folder);
  await ThumbnailCache.open(studio.folder, spool, await BlobStore.open(studio.folder, spool));
  assert.deepEqual(studio.cached(), [`${item.sha256}-64-3.webp`]);
});

Deno.test("a picture that takes too long costs its thread, and the next one is served", async () => {
  await using studio = await openStudio({
    limitMs: 1500,
    script: scriptedThread(`({ size }) => {
      if (size === 64) interruptible(() => { while (true); });
      return new Uint8Array([7]);
    }`),
  });
  const [busy, next] = [await studio.keep(png(300)), await studio.keep(png(301))];
  const { code } = await refusal(studio.thumbnails.get(busy, 64, "webp"));
  assert.equal(code, "deadline_exceeded");
  assert.deepEqual(await studio.thumbnails.get(next, 128, "webp"), new Uint8Array([7]));
  // It is not tried again at once, in whatever size.
  assert.equal((await refusal(studio.thumbnails.get(busy, 128, "webp"))).code, code);
});

Deno.test("nothing is held against a picture whose thread was kept waiting", async () => {
  await using studio = await openStudio({
    limitMs: 300,
    script: scriptedThread(`({ size }) => {
      if (size === 64) interruptible(keptWaiting);
      return new Uint8Array([7]);
    }`),
  });
  const item = await studio.keep(png(300));
  const { code, members } = await refusal(studio.thumbnails.get(item, 64, "webp"));
  assert.deepEqual([code, members], ["service_busy", { retry_after_s: 5 }]);
  assert.deepEqual(await studio.thumbnails.get(item, 128, "webp"), new Uint8Array([7]));
});

Deno.test("a thread that dies is replaced, and says so", async () => {
  await using studio = await openStudio({
    script: scriptedThread(`({ size }) => {
      if (size === 64) throw new WebAssembly.RuntimeError("memory access out of bounds");
      return new Uint8Array([7]);
    }`),
  });
  const [deadly, next] = [await studio.keep(png(300)), await studio.keep(png(301))];
  const { code } = await refusal(studio.thumbnails.get(deadly, 64, "webp"));
  assert.equal(code, "worker_lost");
  assert.deepEqual(await studio.thumbnails.get(next, 128, "webp"), new Uint8Array([7]));
});

Deno.test("who asks while too many wait is asked to come again", async () => {
  await using studio = await openStudio({
    maxWaiting: 2,
    script: scriptedThread(`async () => {
      await pause(200);
      return new Uint8Array(1);
    }`),
  });
  const items = [];
  for (const width of [300, 301, 302]) items.push(await studio.keep(png(width)));
  const results = await Promise.allSettled(
    items.map((item) => studio.thumbnails.get(item, 64, "webp")),
  );
  const refused = results.filter((result) => result.status === "rejected");
  assert.deepEqual(refused.map(({ reason }) => [reason.code, reason.members.retry_after_s]), [
    ["queue_full", 1],
  ]);
  // Nothing is held against the picture that came too late.
  for (const item of items) await studio.thumbnails.get(item, 64, "webp");
});

Deno.test("video, audio and PDF have no thumbnail, and a lost file is no fault of the picture", async () => {
  await using studio = await openStudio();
  const pdf = await studio.keep(png(300), "application/pdf");
  const { code, message } = await refusal(studio.thumbnails.get(pdf, 64, "webp"));
  assert.equal(code, "no_thumbnail");
  assert.match(message, /file is application\/pdf: thumbnails are made of JPEG, PNG, /);
  const item = await studio.keep(png(301));
  await studio.remove(item);
  await assert.rejects(studio.thumbnails.get(item, 64, "webp"), Deno.errors.NotFound);
});
