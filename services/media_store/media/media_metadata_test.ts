import { Problem } from "@fovea/contract";
import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { ascii, craftJpeg, craftPng } from "../testing/crafted_picture.ts";
import { type MediaMetadata, readMediaMetadata } from "./media_metadata.ts";

async function metadataOf(bytes: Uint8Array, maxPixels = 50_000_000): Promise<MediaMetadata> {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/upload`;
  await Deno.writeFile(path, bytes);
  return await readMediaMetadata({ path, name: "upload", maxPixels });
}

async function refusal(metadata: Promise<MediaMetadata>): Promise<[string, string]> {
  const problem = await metadata.then(() => assert.fail("was taken"), (error) => error);
  assert.ok(problem instanceof Problem);
  return [problem.code, problem.message];
}

const document = (text: string) => new TextEncoder().encode(text);

Deno.test("a picture's type and size are what its bytes say", async () => {
  assert.deepEqual(await metadataOf(craftPng(30, 20)), {
    type: "image",
    mime_type: "image/png",
    extension: "png",
    width: 30,
    height: 20,
    create_date: null,
    create_offset_minutes: null,
    shown_by_preview: false,
  });
});

Deno.test("width and height are as a viewer shows the picture", async () => {
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const { width, height } = await metadataOf(craftJpeg(30, 20, { orientation }));
    assert.deepEqual([width, height], orientation < 5 ? [30, 20] : [20, 30], `${orientation}`);
  }
});

Deno.test("a picture's date is read with its zone, and without one as UTC", async () => {
  const taken = "2026:02:03 04:05:06";
  const date = async (exif: { taken: string; offset?: string }) => {
    const metadata = await metadataOf(craftJpeg(3, 2, exif));
    return [metadata.create_date, metadata.create_offset_minutes];
  };
  assert.deepEqual(await date({ taken }), [Date.UTC(2026, 1, 3, 4, 5, 6), null]);
  const offset = "+05:30";
  assert.deepEqual(await date({ taken, offset }), [Date.UTC(2026, 1, 2, 22, 35, 6), 330]);
  assert.deepEqual(await date({ taken: "2026:02:31 04:05:06" }), [null, null]);
});

Deno.test("video, audio and PDF are taken, without a size", async () => {
  const samples = [
    ["%PDF-1.7\n", "document", "application/pdf", "pdf"],
    ["\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video", "video/mp4", "mp4"],
    ["RIFF\x24\0\0\0WAVEfmt ", "audio", "audio/wav", "wav"],
  ] as const;
  for (const [bytes, type, mime_type, extension] of samples) {
    assert.deepEqual(await metadataOf(new Uint8Array(ascii(bytes))), {
      ...{ type, mime_type, extension },
      ...{ width: null, height: null, shown_by_preview: null },
      ...{ create_date: null, create_offset_minutes: null },
    });
  }
});

Deno.test("what is none of these is refused, saying what it is", async () => {
  const [code, detail] = await refusal(metadataOf(document("just a note")));
  assert.equal(code, "unsupported_media");
  assert.match(detail, /"upload" is, by its bytes, of a type that can't be told/);
  assert.match(
    (await refusal(metadataOf(new Uint8Array(ascii("PK\x05\x06")))))[1],
    /application\/zip/,
  );
});

Deno.test("a picture that a browser would run is refused", async () => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`;
  assert.equal((await refusal(metadataOf(document(svg))))[0], "unsupported_media");
  assert.equal(
    (await refusal(metadataOf(document(`<?xml version="1.0"?>${svg}`))))[0],
    "unsupported_media",
  );
});

Deno.test("a picture over the limit is refused from its header", async () => {
  assert.equal((await metadataOf(craftPng(100, 100), 10_000)).width, 100);
  const [code, detail] = await refusal(metadataOf(craftPng(101, 100), 10_000));
  assert.equal(code, "image_too_large");
  assert.equal(detail, "picture is 101 × 100, 10100 pixels: at most 10000 are allowed");
});

Deno.test("a picture of no pixels, or with a broken header, is refused", async () => {
  for (const bytes of [craftPng(0, 20), craftPng(20, 0)]) {
    assert.equal((await refusal(metadataOf(bytes)))[0], "image_unreadable");
  }
  const cut = craftJpeg(30, 20).subarray(0, 60);
  assert.equal((await refusal(metadataOf(cut)))[0], "image_truncated");
});
