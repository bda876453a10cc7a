import assert from "node:assert/strict";
import { brotliCompressSync } from "node:zlib";
import { bareExif, jxlExif, webpExif } from "./exif_block.ts";

const text = (letters: string) => [...letters].map((letter) => letter.charCodeAt(0));
const block = text("II*\0a block");

/** A box of ISO/IEC 14496-12. */
function box(type: string, content: Iterable<number>): number[] {
  const bytes = [...content];
  return [0, 0, bytes.length + 8 >> 8, bytes.length + 8 & 255, ...text(type), ...bytes];
}

const signature = box("JXL ", [13, 10, 0x87, 10]);

Deno.test("a JPEG XL's block is found, plain and packed", () => {
  const content = [0, 0, 0, 6, ...text("Exif\0\0"), ...block];
  const packed = brotliCompressSync(new Uint8Array(content));
  for (const exif of [box("Exif", content), box("brob", [...text("Exif"), ...packed])]) {
    const file = new Uint8Array([
      ...signature,
      ...box("jxlp", [1, 2]),
      ...exif,
      ...box("jxlp", []),
    ]);
    assert.deepEqual([...jxlExif(file)!], block);
  }
});

Deno.test("a block that is damaged, or unpacks to more than any has, is none", () => {
  const endless = brotliCompressSync(new Uint8Array(8 * 1024 * 1024));
  for (const packed of [endless, new Uint8Array([1, 2, 3])]) {
    const file = new Uint8Array([...signature, ...box("brob", [...text("Exif"), ...packed])]);
    assert.equal(jxlExif(file)?.length ?? 0, 0);
  }
  assert.equal(
    jxlExif(new Uint8Array([...signature, 0, 0, 0, 1, ...text("jxlc"), 0, 0])),
    undefined,
  );
});

Deno.test("a WebP's block is found behind chunks of odd length", () => {
  const chunk = (type: string, bytes: number[]) => [
    ...[...text(type), bytes.length, 0, 0, 0],
    ...[...bytes, ...(bytes.length % 2 === 1 ? [0] : [])],
  ];
  const chunks = [...chunk("VP8 ", [1, 2, 3]), ...chunk("EXIF", block)];
  const file = new Uint8Array([...text("RIFF"), 0, 0, 0, 0, ...text("WEBP"), ...chunks]);
  assert.deepEqual([...webpExif(file)!], block);
  assert.equal(webpExif(file.subarray(0, 30)), undefined);
});

Deno.test("what JPEGs put in front of a block is taken away", () => {
  const bare = new Uint8Array(block);
  assert.deepEqual(bareExif(bare), bare);
  assert.deepEqual(bareExif(new Uint8Array([...text("Exif\0\0"), ...block])), bare);
});
