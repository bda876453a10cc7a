import type { Item } from "@fovea/contract";
import {
  asJson,
  runServiceToEnd,
  type ServiceProcess,
  startService,
  until,
  within,
} from "@fovea/testing";
import assert from "node:assert/strict";
import { craftPng } from "./testing/crafted_picture.ts";
import { makePicture } from "./testing/made_pictures.ts";
import { filesIn, form, problemOf } from "./testing/test_app.ts";

async function add(service: ServiceProcess, bytes: Uint8Array<ArrayBuffer>): Promise<Item> {
  const upload = form({ is_collection: "false", image: new Blob([bytes]) });
  const answer = await fetch(`${service.url}/entity/`, upload);
  const item = await answer.json();
  assert.equal(answer.status, 201);
  return item;
}

const folderOf = (service: ServiceProcess) => `${service.dataDir}/media_store`;

/** Sends the beginning of an upload whose file is said to go on for long. */
async function beginUpload(service: ServiceProcess, bytes: Uint8Array): Promise<Deno.TcpConn> {
  const head = [
    "--b",
    'Content-Disposition: form-data; name="is_collection"\r\n',
    "false",
    "--b",
    'Content-Disposition: form-data; name="image"; filename="picture"\r\n\r\n',
  ].join("\r\n");
  const connection = await Deno.connect({ port: Number(new URL(service.url).port) });
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(
    "POST /entity/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
      `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000000\r\n\r\n${head}`,
  ));
  await writer.write(bytes);
  writer.releaseLock();
  return connection;
}

Deno.test("what was stored is there after a restart", async () => {
  await using first = await startService("media_store");
  const item = await add(first, craftPng(3, 2));
  assert.equal((await first.kill("SIGTERM")).code, 0);
  await using second = await startService("media_store", { DATA_DIR: first.dataDir });
  assert.deepEqual(await (await fetch(`${second.url}/entity/${item.id}`)).json(), item);
  const image = await fetch(`${second.url}/entity/${item.id}/image`);
  assert.deepEqual(await image.bytes(), craftPng(3, 2));
});

Deno.test("bytes are sent as they are to clients that take compressed ones too", async () => {
  await using service = await startService("media_store");
  const bmp = makePicture("Bmp", { width: 30, height: 20 });
  const { id, mime_type } = await add(service, bmp);
  assert.equal(mime_type, "image/bmp");
  const image = await fetch(`${service.url}/entity/${id}/image`);
  assert.equal(image.headers.get("Content-Length"), String(bmp.length));
  assert.deepEqual(await image.bytes(), bmp);
});

Deno.test("an ETag that compression has weakened still lets its author change the entity", async () => {
  await using service = await startService("media_store");
  const { id } = await add(service, craftPng(3, 2));
  const answer = await fetch(`${service.url}/entity/${id}`, {
    headers: { "Accept-Encoding": "gzip" },
  });
  await answer.body?.cancel();
  const tag = answer.headers.get("ETag")!;
  assert.equal(tag, `W/"v1"`);
  const change = (label: string) =>
    fetch(`${service.url}/entity/${id}`, asJson({ label }, "PATCH", { "If-Match": tag }));
  assert.equal((await (await change("first")).json()).version, 2);
  await problemOf(await change("late"), "precondition_failed", 412);
});

Deno.test("a kill amid uploads leaves neither a row without its file nor a file without a row", async () => {
  await using first = await startService("media_store");
  const folder = folderOf(first);
  const uploads = Promise.allSettled(
    Array.from({ length: 40 }, (_, seed) => add(first, craftPng(3, 2, seed))),
  );
  using _unfinished = await beginUpload(first, new Uint8Array(100_000));
  await until("a first file", () => filesIn(folder).some((name) => name.startsWith("files/")));
  await first.kill("SIGKILL");
  await uploads;
  // What a kill between a file's renaming and its row's writing leaves.
  Deno.writeFileSync(`${folder}/files/orphan.png`, craftPng(9, 9));
  Deno.writeFileSync(`${folder}/incoming/half`, craftPng(9, 9));

  await using second = await startService("media_store", { DATA_DIR: first.dataDir });
  const { items } = await (await fetch(`${second.url}/entity/?page_size=100`)).json();
  const owned = items.map((item: Item) => item.file_path);
  assert.deepEqual(filesIn(folder).sort(), owned.sort());
  assert.ok(second.log().some((line) => line.file === "files/orphan.png"));
});

Deno.test("an entity whose file was lost is reported, and not dropped", async () => {
  await using first = await startService("media_store");
  const item = await add(first, craftPng(3, 2));
  await first.kill("SIGTERM");
  Deno.removeSync(`${folderOf(first)}/${item.file_path}`);

  await using second = await startService("media_store", { DATA_DIR: first.dataDir });
  assert.ok(second.log().some((line) => line.level === "error" && line.entity_id === item.id));
  assert.deepEqual(await (await fetch(`${second.url}/entity/${item.id}`)).json(), item);
  const image = await fetch(`${second.url}/entity/${item.id}/image`);
  const problem = await problemOf(image, "internal_error", 500);
  assert.ok(!JSON.stringify(problem).includes(first.dataDir));
});

Deno.test("an upload that is too large is refused before it has ended", async () => {
  await using service = await startService("media_store", { MAX_UPLOAD_BYTES: "100000" });
  using connection = await beginUpload(service, new Uint8Array(200_000));
  const refusal = async () => {
    let answer = "";
    for await (const text of connection.readable.pipeThrough(new TextDecoderStream())) {
      answer += text;
      if (answer.includes("}")) break;
    }
    return answer;
  };
  const answer = await within("a refusal", refusal());
  assert.match(answer, /^HTTP\/1\.1 413 /);
  assert.match(answer, /"code":"upload_too_large"/);
  assert.deepEqual(filesIn(folderOf(service)), []);
  await add(service, craftPng(3, 2));
});

Deno.test("an upload whose client goes away leaves nothing behind", async () => {
  await using service = await startService("media_store");
  const connection = await beginUpload(service, new Uint8Array(100_000));
  await until("a first file", () => filesIn(folderOf(service)).length === 1);
  connection.close();
  await until("a first file", () => filesIn(folderOf(service)).length === 0);
  await add(service, craftPng(3, 2));
  assert.deepEqual(service.log().filter((line) => line.level === "error"), []);
});

Deno.test("a store that can't be written is not ready, and says no path", async () => {
  await using service = await startService("media_store");
  Deno.removeSync(`${folderOf(service)}/incoming`, { recursive: true });
  const answer = await fetch(`${service.url}/health/ready`);
  const problem = await problemOf(answer, "not_ready", 503);
  assert.ok(!JSON.stringify(problem).includes(service.dataDir));
  Deno.mkdirSync(`${folderOf(service)}/incoming`);
  assert.deepEqual(await (await fetch(`${service.url}/health/ready`)).json(), { status: "ready" });
});

Deno.test("every wrong setting is named at once", async () => {
  const { code, stderr } = await runServiceToEnd("media_store", {
    MEDIA_STORE_PORT: "70000",
    MAX_UPLOAD_BYTES: "lots",
    AUTH_MODE: "open",
    READ_AUTH_ENABLED: "perhaps",
  });
  assert.equal(code, 2);
  for (
    const line of [
      /MEDIA_STORE_PORT is "70000": /,
      /MAX_UPLOAD_BYTES is "lots": /,
      /AUTH_MODE is "open": /,
      /READ_AUTH_ENABLED is "perhaps": /,
    ]
  ) assert.match(stderr, line);
});

Deno.test("what the user can mend stops the start with a plain message", async () => {
  await using running = await startService("media_store");
  const port = new URL(running.url).port;
  const cases: [Record<string, string>, RegExp][] = [
    [{ MEDIA_STORE_HOST: "0.0.0.0" }, /ALLOW_INSECURE=true/],
    [{ MEDIA_STORE_PORT: port }, /another program does: end it or set MEDIA_STORE_PORT/],
    [
      { DATA_DIR: running.dataDir },
      /another media_store, process \d+, uses .*: end that one or set DATA_DIR/,
    ],
    [{ DATA_DIR: "/dev/null" }, /can't be used: .*: set DATA_DIR/],
    [{ AUTH_MODE: "jwt" }, /P-256 public key .*: set PUBLIC_KEY_PATH/],
  ];
  for (const [env, message] of cases) {
    const { code, stdout, stderr } = await runServiceToEnd("media_store", env);
    assert.match(stderr, message);
    assert.deepEqual([code, stdout, stderr.trim().split("\n").length], [2, "", 1]);
  }
});
