import type { Item } from "@fovea/contract";
import assert from "node:assert/strict";
import { craftPng } from "../testing/crafted_picture.ts";
import { problemOf, type TestApp, testApp } from "../testing/test_app.ts";

const bytes = craftPng(3, 2);
const size = bytes.length;

async function storeWith(
  fields: Record<string, string> = {},
): Promise<{ app: TestApp; item: Item } & AsyncDisposable> {
  const app = await testApp();
  const item = await app.add({ is_collection: "false", image: new Blob([bytes]), ...fields });
  return { app, item, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() };
}

const ask = (app: TestApp, headers: Record<string, string>, method = "GET") =>
  app.request("/entity/1/image", { method, headers });

Deno.test("a range is answered with that part alone", async () => {
  await using store = await storeWith();
  const ranges: [string, number, number][] = [
    ["bytes=0-0", 0, 0],
    ["bytes=5-9", 5, 9],
    [`bytes=${size - 1}-`, size - 1, size - 1],
    ["bytes=-4", size - 4, size - 1],
    ["bytes=10-99999", 10, size - 1],
    ["bytes=-99999", 0, size - 1],
    ["bytes=2-4,99999-", 2, 4],
  ];
  for (const [range, start, end] of ranges) {
    const answer = await ask(store.app, { Range: range });
    assert.equal(answer.status, 206, range);
    assert.equal(answer.headers.get("Content-Range"), `bytes ${start}-${end}/${size}`);
    assert.equal(answer.headers.get("Content-Length"), String(end - start + 1));
    assert.equal(answer.headers.get("Content-Type"), "image/png");
    assert.deepEqual(await answer.bytes(), bytes.slice(start, end + 1));
  }
});

Deno.test("a range outside of the file is refused, saying how large it is", async () => {
  await using store = await storeWith();
  for (const range of [`bytes=${size}-`, "bytes=-0", "bytes=1000-2000,3000-"]) {
    const answer = await ask(store.app, { Range: range });
    assert.equal(answer.headers.get("Content-Range"), `bytes */${size}`);
    const { detail } = await problemOf(answer, "range_not_satisfiable", 416);
    assert.match(detail, new RegExp(`has ${size} bytes`));
  }
});

Deno.test("a range that can't be understood, and several ranges, get the whole file", async () => {
  await using store = await storeWith();
  const several = ["bytes=20-29, 0-3, -2", "bytes=0-4,3-8"];
  for (const range of ["bytes", "bytes=a-b", "lines=1-2", "bytes=1", ...several]) {
    const answer = await ask(store.app, { Range: range });
    assert.equal(answer.status, 200, range);
    assert.equal(answer.headers.get("Accept-Ranges"), "bytes");
    assert.deepEqual(await answer.bytes(), bytes);
  }
});

Deno.test("HEAD answers as GET would, without the bytes and whatever the range", async () => {
  await using store = await storeWith();
  const id = { "X-Request-Id": "the-same" };
  const head = await ask(store.app, { ...id, Range: "bytes=0-3" }, "HEAD");
  const get = await ask(store.app, id);
  assert.deepEqual([...head.headers], [...get.headers]);
  assert.equal(head.headers.get("Content-Length"), String(size));
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
  await get.body?.cancel();
});

Deno.test("a client that has the file already is told so, by ETag before date", async () => {
  await using store = await storeWith();
  const etag = `"${store.item.sha256}"`;
  const now = new Date(store.item.updated_date + 1000).toUTCString();
  const before = new Date(store.item.updated_date - 60_000).toUTCString();
  const cases: [Record<string, string>, number][] = [
    [{ "If-None-Match": etag }, 304],
    [{ "If-None-Match": `"other", W/${etag}` }, 304],
    [{ "If-None-Match": "*" }, 304],
    [{ "If-Modified-Since": now }, 304],
    [{ "If-None-Match": etag, "Range": "bytes=0-3" }, 304],
    [{ "If-None-Match": `"other"`, "If-Modified-Since": now }, 200],
    [{ "If-None-Match": `"other"`, "Range": "bytes=0-3" }, 206],
    [{ "If-Modified-Since": before }, 200],
    [{ "If-Modified-Since": "yesterday" }, 200],
  ];
  for (const [headers, status] of cases) {
    const answer = await ask(store.app, headers);
    assert.equal(answer.status, status, JSON.stringify(headers));
    assert.equal(answer.headers.get("ETag"), etag);
    await answer.body?.cancel();
  }
});

Deno.test("a request that depends on another state of the file fails", async () => {
  await using store = await storeWith();
  const etag = `"${store.item.sha256}"`;
  const before = new Date(store.item.updated_date - 60_000).toUTCString();
  for (const headers of [{ "If-Match": `"other"` }, { "If-Unmodified-Since": before }]) {
    await problemOf(await ask(store.app, headers), "precondition_failed", 412);
  }
  for (const met of [etag, "*", `"other", ${etag}`]) {
    const answer = await ask(store.app, { "If-Match": met, "If-Unmodified-Since": before });
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
  }
});

Deno.test("the rest of a file is sent only to who has the beginning of the same", async () => {
  await using store = await storeWith();
  const date = new Date(store.item.updated_date).toUTCString();
  const cases: [string, number][] = [
    [`"${store.item.sha256}"`, 206],
    [date, 206],
    [`W/"${store.item.sha256}"`, 200],
    [`"other"`, 200],
    [new Date(0).toUTCString(), 200],
  ];
  for (const [ifRange, status] of cases) {
    const answer = await ask(store.app, { "Range": "bytes=0-3", "If-Range": ifRange });
    assert.equal(answer.status, status, ifRange);
    assert.equal((await answer.bytes()).length, status === 206 ? 4 : size);
  }
});

Deno.test("a file is offered under its label, whatever stands in that", async () => {
  const cases: [string | undefined, RegExp][] = [
    [undefined, /filename="?entity-1\.png"?$/],
    ["Eileen", /filename="?Eileen\.png"?$/],
    ["Eileen.PNG", /filename="?Eileen\.PNG"?$/],
    ["../../etc/passwd", /filename="?_\.\._etc_passwd\.png"?$/],
    ["Zoë \u202egpj", /filename="Zo\? gpj\.png"; filename\*=UTF-8''Zo%C3%AB%20gpj\.png$/],
    [`a"; filename=evil.exe\r\nX-Other: 1`, /filename="a_; filename=evil\.exeX-Other_ 1\.png"$/],
  ];
  for (const [label, name] of cases) {
    await using store = await storeWith(label === undefined ? {} : { label });
    const answer = await ask(store.app, {}, "HEAD");
    assert.match(answer.headers.get("Content-Disposition")!, name);
    assert.match(answer.headers.get("Content-Disposition")!, /^inline; /);
    assert.equal(answer.headers.get("X-Other"), null);
  }
});

Deno.test("a client that goes away before or amid a range leaves no file open", async () => {
  await using app = await testApp();
  const large = new Blob([bytes, new Uint8Array(1_000_000)]);
  await app.add({ is_collection: "false", image: large });
  for (const reads of [0, 1, 2]) {
    const answer = await ask(app, { Range: "bytes=3-900000" });
    const reader = answer.body!.getReader();
    for (let i = 0; i < reads; i++) await reader.read();
    // The test's own sanitizer would find an open file.
    await reader.cancel();
  }
});
