import assert from "node:assert/strict";
import { elfSize, isFile } from "./base_runtime.ts";

Deno.test("an ELF file ends where its section headers do, whatever is appended to it", () => {
  const file = new Uint8Array(5000);
  const header = new DataView(file.buffer);
  header.setUint32(0, 0x7f454c46);
  header.setBigUint64(0x28, 4000n, true);
  header.setUint16(0x3a, 64, true);
  header.setUint16(0x3c, 3, true);
  assert.equal(elfSize(file), 4000 + 64 * 3);
});

Deno.test("what is no ELF file is refused", () => {
  assert.throws(() => elfSize(new Uint8Array(64)), /not an ELF file/);
});

Deno.test("a file that is missing, or another, is not the one that is wanted", async () => {
  const wanted = "f12d5d3886d5ea138304fb8d67d7396cfbedf53656676132152cb89f3fa4d8e6";
  assert.equal(await isFile("no-such-file", wanted), false);
  assert.equal(await isFile(new URL(import.meta.url).pathname, wanted), false);
});
