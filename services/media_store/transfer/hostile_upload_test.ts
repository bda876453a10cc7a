import { httpApp } from "@fovea/http/http_app";
import { openLog } from "@fovea/process/log";
import { temporaryFolder, within } from "@fovea/testing";
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { Spool } from "../blobs/spool.ts";
import { ascii, craftJpeg, craftPng } from "../testing/crafted_picture.ts";
import { makePicture } from "../testing/made_pictures.ts";
import { form, problemOf, type TestApp, testApp } from "../testing/test_app.ts";
import { receiveForm } from "./upload.ts";

const png = (seed = 0) => new Blob([craftPng(3, 2, seed)]);
const BOUNDARY = { "Content-Type": "multipart/form-data; boundary=b" };

/** A form's body, written by hand: the headers of each part, and what is in it. */
const rawForm = (...parts: [headers: string, content: string][]): string =>
  parts.map(([headers, content]) => `--b\r\n${headers}\r\n\r\n${content}\r\n`).join("") + "--b--";

/** Expects an upload to be refused, to leave nothing, and the next one to be taken. */
async function refusalOf(app: TestApp, body: BodyInit, code: string, status: number) {
  const answer = await app.request("/entity/", { method: "POST", body, headers: BOUNDARY });
  const { detail } = await problemOf(answer, code, status);
  assert.deepEqual(app.files(), []);
  const { id } = await app.add({ is_collection: "false", image: png() });
  await app.service.delete(id);
  return detail;
}

Deno.test("a file's name never reaches a path", async () => {
  await using app = await testApp();
  const names = [
    "../../../etc/passwd",
    "..\\..\\boot.ini",
    "/etc/passwd",
    "\u202egnp.exe",
    "x".repeat(4000),
    "CON",
    ".",
    "%2e%2e%2f",
  ];
  for (const [seed, name] of names.entries()) {
    const { body } = form({ is_collection: "false" });
    body.set("image", png(seed), name);
    const answer = await app.request("/entity/", { method: "POST", body });
    const item = await answer.json();
    assert.equal(answer.status, 201, name);
    assert.match(item.file_path, /^files\/[0-9a-f]{32}\.png$/);
  }
  assert.equal(app.files().length, names.length);
});

Deno.test("a file's name with a NUL in it is refused", async () => {
  await using app = await testApp();
  const name = `Content-Disposition: form-data; name="image"; filename="a\0b.png"`;
  await refusalOf(app, rawForm([name, "x"]), "malformed_body", 422);
});

Deno.test("a name that could mislead is shown without what misleads", async () => {
  await using app = await testApp();
  const { body } = form({ is_collection: "false" });
  body.set("image", new Blob(["just a note"]), "holi\u202egnp.txt" + "x".repeat(4000));
  const answer = await app.request("/entity/", { method: "POST", body });
  const { detail } = await problemOf(answer, "unsupported_media", 415);
  assert.match(detail, /^file "holignp\.txtx+…" is, by its bytes/);
  assert.ok(detail.length < 400);
});

Deno.test("a file that is two things is served as what its first bytes are, and nothing else", async () => {
  await using app = await testApp();
  const html = ascii("<script>alert(1)</script>");
  const gif = makePicture("Gif", { width: 3, height: 2 });
  const polyglots: [number[], string][] = [
    [[...craftJpeg(3, 2), ...ascii("PK\x03\x04"), ...ascii("PK\x05\x06"), ...html], "image/jpeg"],
    [[...gif, ...html], "image/gif"],
  ];
  for (const [bytes, mimeType] of polyglots) {
    const image = new Blob([new Uint8Array(bytes)], { type: "text/html" });
    const item = await app.add({ is_collection: "false", label: "page.html", image });
    assert.equal(item.mime_type, mimeType);
    const answer = await app.request(`/entity/${item.id}/image`);
    assert.equal(answer.headers.get("Content-Type"), mimeType);
    assert.equal(answer.headers.get("X-Content-Type-Options"), "nosniff");
    assert.deepEqual([...await answer.bytes()], bytes);
  }
});

Deno.test("a form of ten thousand fields or parts is refused", async () => {
  await using app = await testApp();
  const many = (part: (i: number) => [string, string]) =>
    rawForm(...Array.from({ length: 10_000 }, (_, i) => part(i)));
  const fields = many((i) => [`Content-Disposition: form-data; name="f${i}"`, "x"]);
  assert.match(await refusalOf(app, fields, "invalid_parameter", 422), /more than 32 fields/);
  const parts = many((i) => [`X-Other: ${i}`, "x"]);
  assert.match(await refusalOf(app, parts, "invalid_parameter", 422), /more than 64 parts/);
});

Deno.test("parts that are neither field nor file of ours are passed over, whatever they are", async () => {
  await using app = await testApp();
  const others: [string, string][] = [
    ["Content-Disposition: form-data", "x"],
    ["X-Other: 1", "x"],
    [`Content-Disposition: form-data; filename="a.png"`, "x"],
    [`Content-Disposition: form-data; name="photo"; filename="a.png"`, "x".repeat(500_000)],
    [`Content-Disposition: form-data; name="photo"; filename="b.png"`, ""],
    [`Content-Disposition: form-data; name="colour"`, "x".repeat(100_000)],
    [`Content-Disposition: form-data; name="colour"`, "y"],
  ];
  const field = (value: string): [string, string] => [
    `Content-Disposition: form-data; name="is_collection"`,
    value,
  ];
  const body = rawForm(...others, field("true"), ...others);
  const answer = await app.request("/entity/", { method: "POST", body, headers: BOUNDARY });
  assert.equal(answer.status, 201);
  await app.request("/entity/1", { method: "DELETE" });
  assert.deepEqual(app.files(), []);

  const file = rawForm(field("false"), ...others);
  assert.match(await refusalOf(app, file, "missing_file", 400), /^file is missing: send it as/);
  const long = rawForm(field("true"), [others[3]![0], "x".repeat(2_000_000)]);
  await refusalOf(app, long, "upload_too_large", 413);
});

Deno.test("a file that came as text is told from one that is missing", async () => {
  await using app = await testApp();
  for (const name of ["image", "file"]) {
    const body = rawForm([`Content-Disposition: form-data; name="${name}"`, "\x89PNG"]);
    assert.match(
      await refusalOf(app, body, "missing_file", 400),
      new RegExp(`^${name} came as text: send it as a part .* that has a file name$`),
    );
  }
});

Deno.test("headers of a part that have no end are refused", async () => {
  await using app = await testApp();
  const body = `--b\r\nContent-Disposition: form-data; name="${
    "x".repeat(100_000)
  }"\r\n\r\nx\r\n--b--`;
  await refusalOf(app, body, "malformed_body", 422);
});

/** Takes forms on a port, at a pace that a test can wait for. */
async function openPort() {
  await using cleanup = new AsyncDisposableStack();
  const { path: folder } = cleanup.use(await temporaryFolder());
  const spool = await Spool.open(folder);
  const log = openLog("media_store", { LOG_LEVEL: "error", LOG_FORMAT: "json" });
  const app = httpApp({ log, metrics: new Registry() });
  app.post("/", async (c) => {
    await using received = await receiveForm(c.req.raw, {
      fields: [],
      maxFileBytes: 1_000_000,
      begin: () => spool.receive(),
      pace: { allowanceMs: 300, minRate: 10_000 },
    });
    return c.json({ size: received.file?.size });
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
  cleanup.use(server);
  const owned = cleanup.move();
  return {
    folder,
    port: server.addr.port,
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const HEAD = `--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n`;

/** Sends an upload's beginning, then `more` times a byte, and returns the answer's text. */
async function trickle(port: number, more: number, pauseMs: number): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const text = new TextEncoder();
  await connection.write(text.encode(
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n" +
      `Content-Type: multipart/form-data; boundary=b\r\n\r\n${HEAD}`,
  ));
  let answer = "";
  const answered = (async () => {
    const buffer = new Uint8Array(4096);
    while (!answer.includes("}")) {
      const read = await connection.read(buffer);
      if (read === null) break;
      answer += new TextDecoder().decode(buffer.subarray(0, read));
    }
  })();
  for (let i = 0; i < more && answer === ""; i++) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    await connection.write(text.encode("x")).catch(() => {});
  }
  await within("an answer to an upload that trickles", answered);
  return answer;
}

Deno.test("a client that trickles or stops is told so, leaves nothing, and holds up nobody", async () => {
  await using port = await openPort();
  const [trickled, stopped] = await Promise.all([
    trickle(port.port, 1000, 20),
    trickle(port.port, 1, 1),
  ]);
  for (const answer of [trickled, stopped]) {
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.match(answer, /"code":"upload_stalled"/);
    assert.match(answer, /may pause for 0\.3 s, and 10000 bytes a second are the least/);
  }
  assert.deepEqual([...Deno.readDirSync(`${port.folder}/incoming`)], []);
  const next = await fetch(port.url, form({ image: png() }));
  assert.deepEqual(await next.json(), { size: png().size });
});

Deno.test("a client that is slow, but fast enough, is waited for", async () => {
  await using port = await openPort();
  const text = new TextEncoder();
  // For twice as long as the patience with one who sends nothing.
  const slow = async function* () {
    yield text.encode(HEAD);
    for (let i = 0; i < 12; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      yield new Uint8Array(1000);
    }
    yield text.encode("\r\n--b--");
  };
  const body = ReadableStream.from(slow());
  const answer = await fetch(port.url, { method: "POST", headers: BOUNDARY, body });
  assert.deepEqual(await answer.json(), { size: 12_000 });
});
