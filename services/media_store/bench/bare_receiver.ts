/**
 * What an upload costs at least: a form parsed by busboy, its file digested twice, written and
 * synced, and nothing else. A process of its own; it prints its URL, and keeps no file.
 *
 * @module
 */
// @deno-types="@types/busboy"
import busboy from "busboy";
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const [folder] = Deno.args;

async function receive(request: Request): Promise<Response> {
  const type = request.headers.get("Content-Type")!;
  const parser = busboy({ headers: { "content-type": type } });
  let written: Promise<string> | undefined;
  parser.on("file", (_, part) => written = write(part));
  await pipeline(request.body!, parser);
  return new Response(await written, { status: 201 });
}

async function write(part: Readable): Promise<string> {
  const path = `${folder}/${crypto.randomUUID()}`;
  const [md5, sha256] = [createHash("md5"), createHash("sha256")];
  using file = await Deno.open(path, { write: true, createNew: true });
  for await (const bytes of part) {
    md5.update(bytes);
    sha256.update(bytes);
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await file.write(rest));
  }
  await file.sync();
  await Deno.remove(path);
  return `${md5.digest("hex")} ${sha256.digest("hex")}`;
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.error(`http://127.0.0.1:${port}/`),
}, receive);
