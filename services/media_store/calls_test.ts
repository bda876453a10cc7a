/**
 * Calls and settings of media_store as its page and SETTINGS.md promise them, through the service as
 * it is started. What other tests beside this one ask of the started service is not repeated.
 *
 * @module
 */
import type { Item, Page } from "@fovea/contract";
import {
  asJson,
  runServiceToEnd,
  type ServiceProcess,
  startGuarded,
  startService,
  tokenOf,
} from "@fovea/testing";
import assert from "node:assert/strict";
import { craftPng } from "./testing/crafted_picture.ts";
import { form, type FormFields, picture, problemOf } from "./testing/test_app.ts";

/** Calls to one started service, under paths of it. */
function clientOf({ url }: ServiceProcess) {
  const call = (path: string, init?: RequestInit) => fetch(`${url}${path}`, init);
  /** Makes a call that must succeed. */
  const read = async <T>(path: string, init?: RequestInit): Promise<T> => {
    const answer = await call(path, init);
    const text = await answer.text();
    assert.ok(answer.ok, `${init?.method ?? "GET"} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  };
  return {
    call,
    read,
    add: (fields: FormFields) => read<Item>("/entity/", form(fields)),
    ids: async (query: string) =>
      (await read<Page<Item>>(`/entity/?${query}`)).items.map(({ id }) => id),
  };
}

const png = (seed: number) => new Blob([craftPng(3, 2, seed)]);
const headers = (headers: Record<string, string>): RequestInit => ({ headers });

Deno.test("lists are paged, filtered and searched, and look at old versions", async () => {
  await using service = await startService("media_store");
  const { add, call, read, ids } = clientOf(service);
  const album = await add({ is_collection: "true", label: "Old harbour" });
  const parent_id = String(album.id);
  const boat = await add({ is_collection: "false", image: png(1), label: "Café", parent_id });
  const gone = await add({ is_collection: "false", image: png(2), description: "a harbour" });
  await read(`/entity/${gone.id}`, asJson({ is_deleted: true }, "PATCH"));
  await read(`/entity/${boat.id}`, asJson({ label: "Boat" }, "PATCH"));

  assert.deepEqual(await ids("page=2&page_size=1"), [boat.id]);
  const { pagination } = await read<Page<Item>>("/entity/?page=2&page_size=1");
  assert.deepEqual(pagination, {
    ...{ page: 2, page_size: 1, total_items: 2, total_pages: 2 },
    ...{ has_next: false, has_prev: true },
  });
  assert.deepEqual(await ids("include_deleted=true"), [album.id, boat.id, gone.id]);
  assert.deepEqual(await ids("search_query=ARBO"), [album.id]);
  assert.deepEqual(await ids("search_query=arbo&include_deleted=true"), [album.id, gone.id]);
  assert.deepEqual(await ids("search_query=cafe&version=1"), [boat.id]);
  assert.deepEqual(await ids("search_query=cafe"), []);
  assert.deepEqual(await ids("version=2"), [boat.id]);
  for (const filter of ["type:image", "mime_type:image/png", `parent_id:${album.id}`]) {
    assert.deepEqual(await ids(`filter_param=${filter}`), [boat.id], filter);
  }
  assert.deepEqual(await ids("filter_param=parent_id:null,is_collection:true"), [album.id]);
  for (const query of ["page=0", "page_size=101", "page_size=1e1", "colour=red"]) {
    await problemOf(await call(`/entity/?${query}`), "invalid_parameter", 422);
  }
});

Deno.test("an entity is changed, looked at as it was, and deleted", async () => {
  await using service = await startService("media_store");
  const { add, call, read } = clientOf(service);
  const item = await add({ is_collection: "false", image: png(1), label: "a" });
  const path = `/entity/${item.id}`;
  const other = await add({ is_collection: "false", image: png(2) });

  const replaced = await read<Item>(path, form({ is_collection: "false", image: png(3) }, "PUT"));
  assert.deepEqual([replaced.label, replaced.version], [null, 2]);
  assert.deepEqual(await read(`${path}?version=1`), item);
  const versions = await read<{ version: number }[]>(`${path}/versions`);
  assert.deepEqual(versions.map(({ version }) => version), [1, 2]);
  const then = await call(`${path}/image?version=1`);
  assert.deepEqual(await then.bytes(), craftPng(3, 2, 1));
  await problemOf(await call(`${path}?version=3`), "version_not_found", 404);
  const taken = await call(path, form({ is_collection: "false", image: png(2) }, "PUT"));
  const duplicate = await problemOf(taken, "duplicate_file", 409);
  assert.equal(duplicate.entity_id, other.id);
  assert.match(duplicate.detail, new RegExp(`${other.id}.*${other.md5}|${other.md5}.*${other.id}`));

  await read(path, asJson({ body: { description: "b" } }, "PATCH"));
  const stale = asJson({ label: "c" }, "PATCH", { "If-Match": '"v2"' });
  await problemOf(await call(path, stale), "precondition_failed", 412);
  assert.equal((await call(path, headers({ "If-None-Match": '"v3"' }))).status, 304);
  const results = await call(`${path}/face-detection-results`, asJson({ faces: [] }));
  assert.deepEqual([results.status, await results.json()], [202, { status: "accepted" }]);

  assert.equal((await read<Item>(path, { method: "DELETE" })).version, 3);
  await problemOf(await call(path), "entity_not_found", 404);
  const emptied = await read("/entity/", { method: "DELETE" });
  assert.deepEqual(emptied, { status: "deleted", deleted: 1 });
});

Deno.test("bytes and thumbnails come whole, in part, or as word that one has them", async () => {
  await using service = await startService("media_store");
  const { add, call } = clientOf(service);
  const astronaut = await picture("astronaut.png");
  const { id, sha256, file_size } = await add({ is_collection: "false", image: astronaut });
  const path = `/entity/${id}/image`;

  const head = await call(path, { method: "HEAD" });
  assert.deepEqual(
    [head.headers.get("ETag"), head.headers.get("Content-Length"), (await head.bytes()).length],
    [`"${sha256}"`, String(file_size), 0],
  );
  const part = await call(path, headers({ Range: "bytes=1-3" }));
  assert.deepEqual([part.status, await part.text()], [206, "PNG"]);
  const old = { Range: "bytes=1-3", "If-Range": '"other"' };
  assert.equal((await (await call(path, headers(old))).bytes()).length, file_size);
  const beyond = await call(path, headers({ Range: `bytes=${file_size}-` }));
  await problemOf(beyond, "range_not_satisfiable", 416);
  const known = await call(path, headers({ "If-None-Match": `"${sha256}"` }));
  assert.equal(known.status, 304);
  const since = head.headers.get("Last-Modified")!;
  assert.equal((await call(path, headers({ "If-Modified-Since": since }))).status, 304);
  await problemOf(
    await call(path, headers({ "If-Match": '"other"' })),
    "precondition_failed",
    412,
  );

  const thumbnail = await call(`/entity/${id}/thumbnail?size=64&format=jpeg`);
  assert.equal(thumbnail.headers.get("Content-Type"), "image/jpeg");
  await thumbnail.body?.cancel();
  const preferred = await call(`/entity/${id}/thumbnail`, headers({ Accept: "image/jpeg" }));
  assert.equal(preferred.headers.get("Content-Type"), "image/jpeg");
  const etag = preferred.headers.get("ETag")!;
  await preferred.body?.cancel();
  const again = await call(`/entity/${id}/thumbnail`, {
    method: "HEAD",
    headers: { Accept: "image/jpeg", "If-None-Match": etag },
  });
  assert.equal(again.status, 304);
  await problemOf(await call(`/entity/${id}/thumbnail?size=65`), "invalid_parameter", 422);
});

Deno.test("its limits, its address and its log are what its settings say", async () => {
  await using service = await startService("media_store", {
    MEDIA_STORE_HOST: "127.0.0.2",
    MAX_IMAGE_PIXELS: "5",
    LOG_LEVEL: "debug",
  });
  const { call } = clientOf(service);
  assert.equal(new URL(service.url).hostname, "127.0.0.2");
  const large = await call("/entity/", form({ is_collection: "false", image: png(1) }));
  assert.match(
    (await problemOf(large, "image_too_large", 422)).detail,
    /3 × 2, 6 pixels: at most 5 are/,
  );
  assert.deepEqual(await (await call("/health", headers({ "X-Request-Id": "mine" }))).json(), {
    status: "ok",
  });
  for (const path of ["/", "/docs", "/openapi.json", "/metrics", "/health/ready", "/store"]) {
    const answer = await call(path);
    assert.equal(answer.status, 200, `${path}: ${await answer.text()}`);
  }
  assert.ok(
    service.log().some(({ level, request_id }) => level === "debug" && request_id === "mine"),
  );

  const { stdout, stderr } = await runServiceToEnd("media_store", {
    LOG_FORMAT: "fancy",
    THREAD_IDLE_SECONDS: "9999999",
    JWT_MAX_DAYS: "0",
  });
  for (const name of ["LOG_FORMAT", "THREAD_IDLE_SECONDS", "JWT_MAX_DAYS"]) {
    assert.match(stdout + stderr, new RegExp(`${name} is "`));
  }
});

Deno.test("a token must be of the issuer, for the audience and no longer than the settings say", async () => {
  await using guarded = await startGuarded("media_store", {
    READ_AUTH_ENABLED: "true",
    JWT_ISSUER: "home",
    JWT_AUDIENCE: "fovea",
    JWT_MAX_DAYS: "2",
  });
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: "home", aud: "fovea" };
  const status = async (claims: object) => {
    const token = await tokenOf(guarded.privateKey, { ...good, ...claims });
    const answer = await guarded.call("/entity/", token);
    await answer.body?.cancel();
    return answer.status;
  };
  assert.equal(await status({}), 200);
  assert.equal(await status({ iss: "elsewhere" }), 401);
  assert.equal(await status({ aud: "other" }), 401);
  assert.equal(await status({ exp: now + 3 * 86_400 }), 401);
});
