/**
 * media_store for tests: the whole of it, on a real folder and database, without a port. Every
 * answer that a test gets is held against the API document.
 *
 * @module
 */
import { EVERYBODY } from "@fovea/http/access";
import { openLog } from "@fovea/process/log";
import { openSqlite } from "@fovea/storage/sqlite";
import type { Item, ProblemDocument } from "@fovea/contract";
import { temporaryFolder } from "@fovea/testing";
import { witness } from "@fovea/testing/api_document";
import assert from "node:assert/strict";
import type { Hono } from "hono";
import { Registry } from "prom-client";
import { describeMediaStore } from "../api/document.ts";
import { mediaStoreApp } from "../app.ts";
import { BlobStore } from "../blobs/blob_store.ts";
import { Spool } from "../blobs/spool.ts";
import { ChangeFeed } from "../changes/feed.ts";
import { ChangeRepository } from "../changes/repository.ts";
import { LibraryColumns } from "../columns/columns.ts";
import { EntityListing } from "../entities/listing.ts";
import { migrations, type Tables } from "../entities/migrations.ts";
import { EntityRepository } from "../entities/repository.ts";
import { EntityService } from "../entities/service.ts";
import { TransactionRepository } from "../entities/transactions.ts";
import { VersionRepository } from "../entities/versions.ts";
import { Inspector } from "../media/inspector.ts";
import { ThumbnailCache } from "../thumbnails/cache.ts";
import { Thumbnails } from "../thumbnails/thumbnails.ts";

/** Has seen every answer to the tests of one file. */
export const apiWitness = witness(describeMediaStore());

/** media_store in one process with its test. */
export interface TestApp extends AsyncDisposable {
  folder: string;
  service: EntityService;
  spool: Spool;
  /** All routes, as Hono lists them. */
  routes: Hono["routes"];
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Adds an entity and expects that to succeed. */
  add(fields: FormFields): Promise<Item>;
  /** Names of all files of the store, kept or in the making. */
  files(): string[];
}

export type FormFields = Record<string, string | Blob>;

/** A form as a client would send it; a `Blob` comes as a file of the name "picture". */
export function form(
  fields: FormFields,
  method = "POST",
): RequestInit & { method: string; body: FormData } {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") body.set(name, value);
    else body.set(name, value, "picture");
  }
  return { method, body };
}

export async function testApp(
  options: { maxUploadBytes?: number; maxPixels?: number } = {},
): Promise<TestApp> {
  await using cleanup = new AsyncDisposableStack();
  const { path: folder } = cleanup.use(await temporaryFolder());
  const db = cleanup.use(await openSqlite<Tables>(`${folder}/entities.sqlite`, migrations));
  const inspector = cleanup.use(new Inspector());
  const spool = await Spool.open(folder);
  const blobs = await BlobStore.open(folder, spool);
  const cache = await ThumbnailCache.open(folder, spool, blobs);
  const log = openLog("media_store", { LOG_LEVEL: "error", LOG_FORMAT: "json" });
  const maxPixels = options.maxPixels ?? 50_000_000;
  const thumbnails = cleanup.use(new Thumbnails({ blobs, cache, maxPixels, log }));
  const transactions = new TransactionRepository(db);
  const changes = new ChangeRepository(db, transactions);
  const feed = new ChangeFeed(changes);
  cleanup.defer(() => feed.close());
  const service = new EntityService({
    entities: new EntityRepository(db, () => feed.wake()),
    versions: new VersionRepository(db),
    listing: new EntityListing(db),
    blobs,
    spool,
    derived: cache,
    inspector,
    maxPixels,
  });
  const app = mediaStoreApp({
    service,
    transactions,
    changes,
    feed,
    columns: new LibraryColumns(db, transactions),
    spool,
    thumbnails,
    access: EVERYBODY,
    log,
    maxUploadBytes: options.maxUploadBytes ?? 1024 * 1024,
    metrics: new Registry(),
  });
  const request = async (path: string, init?: RequestInit) => {
    const answer = await app.request(new Request(new URL(path, "http://localhost"), init));
    await apiWitness.check(init?.method ?? "GET", path, answer);
    return answer;
  };
  const owned = cleanup.move();
  return {
    folder,
    service,
    spool,
    routes: app.routes,
    request,
    async add(fields) {
      const answer = await request("/entity/", form(fields));
      assert.equal(answer.status, 201);
      return await answer.json();
    },
    files: () => filesIn(folder),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Names of all files in a store's folder, kept or in the making. */
export function filesIn(folder: string): string[] {
  return ["files", "incoming"].flatMap((name) =>
    [...Deno.readDirSync(`${folder}/${name}`)].map((file) => `${name}/${file.name}`)
  );
}

/** Expects an answer to be a problem, and returns it. */
export async function problemOf(answer: Response, code: string, status: number) {
  assert.equal(answer.headers.get("Content-Type"), "application/problem+json");
  const problem: ProblemDocument = await answer.json();
  assert.deepEqual([problem.code, problem.status, answer.status], [code, status, status]);
  return problem;
}

/** One of the demo's pictures. */
export async function picture(name: string): Promise<Blob> {
  return new Blob([
    await Deno.readFile(new URL(`../../../clients/images/${name}`, import.meta.url)),
  ]);
}
