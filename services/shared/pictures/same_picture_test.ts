import type { Item } from "@fovea/contract";
import { endOf, pictureTools, temporaryFolder, testNeeding } from "@fovea/testing";
import { startSuite, type Suite } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { decodePicture, openPicture } from "./picture_file.ts";
import { craftArw, craftCr2, craftDng, craftNef, craftOldNef } from "./testing/raw_files.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Colour = [red: number, green: number, blue: number];

/** A file, and what an independent reader sees in it. */
interface Kind {
  file: string;
  bytes: Bytes;
  /** What was seen, as a PNG that nothing can be wrong about. */
  seen: Bytes;
  size: [width: number, height: number];
  /** In the middles of its four quarters. */
  colours: Colour[];
}

/** Every kind of file that Debian's tools make. */
async function makeKinds(folder: string): Promise<Kind[]> {
  const script = new URL("testing/make_kinds.py", import.meta.url).pathname;
  const args = ["-W", "ignore", script, folder];
  const { code, stderr } = await endOf("/usr/bin/python3", { args });
  assert.equal(code, 0, stderr);
  const kinds: Omit<Kind, "bytes" | "seen">[] = JSON.parse(
    await Deno.readTextFile(`${folder}/kinds.json`),
  );
  return await Promise.all(kinds.map(async (kind) => ({
    ...kind,
    bytes: await Deno.readFile(`${folder}/${kind.file}`),
    seen: await Deno.readFile(`${folder}/${kind.file}.seen.png`),
  })));
}

const CRAFTS = [craftDng, craftCr2, craftNef, craftOldNef, craftArw];

/** Raw files around pictures that Pillow has seen, each twice as large as its preview. */
function rawKinds(kinds: Kind[]): Kind[] {
  const of = (name: string) => kinds.find((kind) => kind.file === name)!;
  const size = { width: 192, height: 128 };
  const preview = of("baseline.jpg").bytes;
  const lying: Kind[] = CRAFTS.map((craft) => ({
    ...of("baseline.jpg"),
    file: `${craft.name}, lying`,
    bytes: craft({ ...size, preview }),
    size: [192, 128],
  }));
  const standing: Kind[] = CRAFTS.map((craft) => ({
    ...of("turned_6.jpg"),
    file: `${craft.name}, standing`,
    bytes: craft({ ...size, preview, orientation: 6 }),
    size: [128, 192],
  }));
  return [...lying, ...standing];
}

async function coloursOf(bytes: Bytes, mimeType: string): Promise<Colour[]> {
  const opened = await openPicture(bytes, { mimeType, maxPixels: 1e6 });
  const { image } = decodePicture(opened);
  try {
    const { width, height } = image;
    return [1, 3].flatMap((y) =>
      [1, 3].map((x) =>
        image.getPixels((pixels) =>
          [...pixels.getPixel(Math.floor(x * width / 4), Math.floor(y * height / 4))]
            .slice(0, 3) as Colour
        )
      )
    );
  } finally {
    image.dispose();
  }
}

async function resultOf(suite: Suite, task: "face_detection" | "image_embedding", item: Item) {
  const { job_id } = await suite.submit(task, { media_store_id: item.id, priority: 10 });
  const job = await suite.ended(job_id);
  assert.equal(
    job.status,
    "completed",
    `${task} ended as ${job.status}: ${job.error_code}: ${job.error_message}`,
  );
  return job.result as unknown;
}

async function embeddingOf(suite: Suite, item: Item): Promise<number[]> {
  return (await resultOf(suite, "image_embedding", item) as { embedding: number[] }).embedding;
}

const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

async function checkKind(suite: Suite, kind: Kind) {
  const item = await suite.upload(kind.bytes);
  assert.deepEqual([item.width, item.height], kind.size, "size in the store");
  assert.equal(item.shown_by_preview, kind.file.startsWith("craft"), "whether it is a preview");

  const answer = await fetch(`${suite.mediaStore.url}/entity/${item.id}/thumbnail?format=jpeg`);
  assert.equal(answer.status, 200, "thumbnail");
  const colours = await coloursOf(await answer.bytes(), "image/jpeg");
  colours.forEach((colour, i) =>
    colour.forEach((value, channel) =>
      assert.ok(
        Math.abs(value - kind.colours[i]![channel]!) <= 12,
        `thumbnail's colours are ${colours.join(" / ")}, and not ${kind.colours.join(" / ")}`,
      )
    )
  );

  const faces = await resultOf(suite, "face_detection", item);
  const { image_width, image_height } = faces as { image_width: number; image_height: number };
  assert.deepEqual([image_width, image_height], kind.size, "size to a job");

  // The same network sees the same in the file as in a plain PNG of what the other reader saw.
  const wanted = await embeddingOf(suite, await suite.upload(kind.seen));
  const cosine = dot(wanted, await embeddingOf(suite, item));
  assert.ok(cosine > 0.99, `a job sees another picture: cosine ${cosine}`);
}

testNeeding(
  [pictureTools],
  "every kind of picture is the same to store, thumbnail and jobs, and to another reader",
  async (t) => {
    await using folder = await temporaryFolder();
    await using suite = await startSuite();
    const kinds = await makeKinds(folder.path);
    for (const kind of [...kinds, ...rawKinds(kinds)]) {
      await t.step(kind.file, () => checkKind(suite, kind));
    }
    assert.ok(kinds.length > 90, `${kinds.length} kinds`);
    // Pictures that differ are told apart by what was compared.
    const [lying, turned] = await Promise.all(["plain.png", "turned_3.png"].map(async (name) => {
      const { bytes } = kinds.find((kind) => kind.file === name)!;
      return await embeddingOf(suite, await suite.upload(bytes));
    }));
    const cosine = dot(lying!, turned!);
    assert.ok(cosine < 0.98, `cosine of a picture and itself turned over: ${cosine}`);
  },
);

testNeeding([pictureTools], "a HEIF that lacks a box which it needs is refused", async () => {
  await using folder = await temporaryFolder();
  const options = { cwd: folder.path };
  await endOf("convert", { ...options, args: ["-size", "96x64", "xc:red", "plain.png"] });
  await endOf("heif-enc", { ...options, args: ["-L", "plain.png", "-o", "plain.heic"] });
  const whole = await Deno.readFile(`${folder.path}/plain.heic`);
  const open = async (bytes: Bytes) => {
    const opened = await openPicture(bytes, { mimeType: "image/heic", maxPixels: 1e6 });
    const { image } = decodePicture(opened);
    const size = [image.width, image.height];
    image.dispose();
    return size;
  };
  assert.deepEqual(await open(whole), [96, 64]);
  // The size, which item is the picture, where its bytes lie, how they are coded.
  for (const box of ["ispe", "pitm", "iloc", "hvcC"]) {
    const lacking = whole.slice();
    const name = new TextEncoder().encode(box);
    const at = lacking.findIndex((_, i) => name.every((byte, j) => lacking[i + j] === byte));
    lacking.set(new TextEncoder().encode("zzzz"), at);
    await assert.rejects(open(lacking), { code: "image_unreadable" }, box);
  }
});
