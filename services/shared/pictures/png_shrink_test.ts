import assert from "node:assert/strict";
import { crc32, deflateSync } from "node:zlib";
import { SRGB } from "./icc_profile.ts";
import { decodePicture, openPicture } from "./picture_file.ts";
import { withFewerPixels } from "./png_shrink.ts";

const WIDTH = 2501;
const HEIGHT = 1703;
const maxPixels = 50_000_000;

/** Samples that go on smoothly, with some noise: what all filters have work with. */
function samplesOf(channels: number): Uint8Array {
  const samples = new Uint8Array(WIDTH * HEIGHT * channels);
  let at = 0;
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      for (let c = 0; c < channels; c++) {
        samples[at++] = (x >> 4) + (y >> 3) + 50 * c + (x * y * (c + 7) & 15);
      }
    }
  }
  return samples;
}

/** A PNG whose rows are filtered in all five ways in turn (PNG specification, 9.2). */
async function writePng(
  samples: Uint8Array,
  channels: number,
  extra: Uint8Array[] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  const length = WIDTH * channels;
  const rows = new Uint8Array((1 + length) * HEIGHT);
  for (let y = 0, out = 0; y < HEIGHT; y++) {
    const at = (x: number, y: number) => x < 0 || y < 0 ? 0 : samples[y * length + x]!;
    const filter = y % 5;
    rows[out++] = filter;
    for (let x = 0; x < length; x++) {
      const [a, b, c] = [at(x - channels, y), at(x, y - 1), at(x - channels, y - 1)];
      const p = a + b - c;
      const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
      const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      rows[out++] = at(x, y) - [0, a, b, (a + b) >> 1, paeth][filter]!;
    }
  }
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, WIDTH);
  new DataView(header.buffer).setUint32(4, HEIGHT);
  header.set([8, [0, 4, 2, 6][channels - 1]!], 8);
  const parts = [
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    chunk("IHDR", header),
    ...extra,
    chunk("IDAT", deflateSync(rows, { level: 1 })),
    chunk("IEND", new Uint8Array()),
  ];
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

const open = (bytes: Uint8Array) => openPicture(bytes, { mimeType: "image/png", maxPixels });

Deno.test("a large PNG is averaged to fewer pixels, whatever its filters and channels", async () => {
  for (const channels of [1, 2, 3, 4]) {
    const samples = samplesOf(channels);
    const opened = await open(await writePng(samples, channels));
    const smaller = await withFewerPixels(opened, 512);
    assert.deepEqual([opened.width, smaller.width], [WIDTH, WIDTH], "the picture itself stays");
    const { bytes, width, height } = smaller.source!;
    assert.deepEqual([width, height], [Math.floor(WIDTH / 4), Math.floor(HEIGHT / 4)]);
    const { image } = decodePicture(smaller);
    try {
      assert.deepEqual([image.width, image.height], [width, height]);
      const hasAlpha = channels === 2 || channels === 4;
      const colours = hasAlpha ? channels - 1 : channels;
      for (const [x, y] of [[0, 0], [300, 200], [width - 1, height - 1]] as const) {
        const [x0, x1] = [Math.floor(x * WIDTH / width), Math.floor((x + 1) * WIDTH / width)];
        const [y0, y1] = [Math.floor(y * HEIGHT / height), Math.floor((y + 1) * HEIGHT / height)];
        const sums = new Array<number>(channels).fill(0);
        for (let v = y0; v < y1; v++) {
          for (let u = x0; u < x1; u++) {
            const at = (v * WIDTH + u) * channels;
            const opacity = hasAlpha ? samples[at + colours]! : 1;
            for (let c = 0; c < colours; c++) sums[c]! += samples[at + c]! * opacity;
            if (hasAlpha) sums[colours]! += opacity;
          }
        }
        const count = (x1 - x0) * (y1 - y0);
        const wanted = sums.map((sum, c) =>
          Math.round(sum / (hasAlpha && c < colours ? sums[colours]! : count))
        );
        const met = image.getPixels((pixels) => [...pixels.getPixel(x, y)]);
        // Grey comes as it is, or as three equal channels.
        const grey = met.length > channels && colours === 1;
        assert.deepEqual(grey ? [met[0], ...(hasAlpha ? [met.at(-1)] : [])] : met, wanted);
      }
    } finally {
      image.dispose();
    }
    assert.ok(bytes.length < opened.source!.bytes.length);
  }
});

Deno.test("what says how colours are meant is kept, and what holds for the size alone is not", async () => {
  const profile = new Uint8Array([...new TextEncoder().encode("it\0"), 0, ...deflateSync(SRGB)]);
  const place = chunk("oFFs", new Uint8Array(9));
  const bytes = await writePng(samplesOf(3), 3, [chunk("iCCP", profile), place]);
  const smaller = await withFewerPixels(await open(bytes), 512);
  const text = new TextDecoder("latin1").decode(smaller.source!.bytes);
  assert.match(text, /iCCP/);
  assert.doesNotMatch(text, /oFFs/);
  const { image } = decodePicture(smaller);
  try {
    assert.deepEqual([...image.profileNames], ["icc"]);
  } finally {
    image.dispose();
  }
});

Deno.test("small, damaged and unusual PNGs are left as they are", async () => {
  const bytes = await writePng(samplesOf(3), 3);
  const opened = await open(bytes);
  assert.equal(await withFewerPixels(opened, 1024), opened, "it is not much too large");
  const changed = (change: (bytes: Uint8Array) => Uint8Array) => {
    const source = { ...opened.source!, bytes: change(bytes.slice()) };
    return { ...opened, source };
  };
  const damaged = changed((bytes) => {
    bytes[bytes.length >> 1]! ^= 1;
    return bytes;
  });
  assert.equal(await withFewerPixels(damaged, 256), damaged, "a checksum is wrong");
  const cut = changed((bytes) => bytes.slice(0, bytes.length >> 1));
  assert.equal(await withFewerPixels(cut, 256), cut, "it is cut off");
  const end = changed((bytes) => bytes.slice(0, -12));
  assert.equal(await withFewerPixels(end, 256), end, "it has no end");
  const colour = chunk("tRNS", new Uint8Array(6));
  const keyed = await open(await writePng(samplesOf(3), 3, [colour]));
  assert.equal(await withFewerPixels(keyed, 256), keyed, "one colour is transparent");
});
