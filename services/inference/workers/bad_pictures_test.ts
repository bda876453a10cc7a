import type { FaceDetectionResult, ProblemCode } from "@fovea/contract";
import { testModel } from "@fovea/testing/models";
import assert from "node:assert/strict";
import {
  craftBomb,
  craftExif,
  craftGif,
  craftLoopingTiff,
  craftPng,
  iccChunk,
  withSegment,
} from "../testing/crafted_files.ts";
import { silent } from "../testing/open_jobs.ts";
import { WorkerPool } from "./pool.ts";

const image = (name: string) =>
  Deno.readFile(new URL(`../../../clients/images/${name}`, import.meta.url));
const png = await image("astronaut.png");
const jpeg = await image("rocket.jpg");

/** What must come of a picture: the number of faces in it, or the code that its job ends with. */
type Answer = number | ProblemCode;

async function pictures(): Promise<[what: string, bytes: Uint8Array, answer: Answer][]> {
  const text = (content: string) => new TextEncoder().encode(content);
  const canvas = { width: 60_000, height: 60_000 };
  const damaged = png.slice();
  damaged[5000]! ^= 0xff;
  const thin = (width: number, height: number) =>
    craftPng({ width, height, pixel: [255, 255, 255] });
  const lies = craftExif([[0x0112, 3, 1, 99]], { claims: 65_535, next: 8 });
  const profiled = craftPng({
    width: 64,
    height: 64,
    pixel: [9, 9, 9],
    chunks: [iccChunk(new Uint8Array(20_000_000))],
  });
  const tenths = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  return [
    ["a PNG of 14,000 × 14,000", await craftBomb(14_000, 14_000), "image_too_large"],
    ["a GIF of 60,000 × 60,000", craftGif(canvas, { x: 0, y: 0, ...canvas }), "image_too_large"],
    ["a TIFF that points to itself", craftLoopingTiff([[330, 8]]), "image_unreadable"],
    ["an SVG", text(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "image_unreadable"],
    ["a PDF", text("%PDF-1.7\n…"), "image_unreadable"],
    ...tenths.map((tenth): [string, Uint8Array, Answer] => [
      `${tenth} tenths of a JPEG`,
      jpeg.subarray(0, jpeg.length * tenth / 10),
      "image_truncated",
    ]),
    ["a PNG with a wrong checksum", damaged, "image_unreadable"],
    ["1 × 1", thin(1, 1), "image_too_small"],
    ["1 × 10,000", thin(1, 10_000), "image_too_small"],
    ["10,000 × 1", thin(10_000, 1), "image_too_small"],
    ["an EXIF block that lies", withSegment(jpeg, 0xe1, lies), 0],
    ["a colour profile of 20 MB", profiled, 0],
  ];
}

Deno.test("each bad picture ends its own job by name, and the same workers find the faces in the next", async () => {
  const mixed = (await pictures()).flatMap((bad): typeof bad[] => [bad, ["a good one", png, 1]]);
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const id = /\d+/.exec(new URL(request.url).pathname)![0];
      return new Response(new Uint8Array(mixed[Number(id)]![1]));
    },
  );
  const lost: unknown[] = [];
  const log = Object.assign(Object.create(silent), { warn: (fact: unknown) => lost.push(fact) });
  const pool = new WorkerPool({
    size: 2,
    settings: {
      source: { url: `http://127.0.0.1:${server.addr.port}`, maxBytes: 50 << 20 },
      maxPixels: 50_000_000,
      backend: "wasm",
      shrinkWhileDecoding: true,
    },
    towers: null,
    deadlineMs: 60_000,
    idleMs: 60_000,
    log,
    onFree: () => {},
  });
  try {
    await pool.load("face_detection", await testModel("face_detection", "ultraface-rfb-320"));
    const answers: Answer[] = [];
    let next = 0;
    const keepOneBusy = async () => {
      while (next < mixed.length) {
        const entityId = next++;
        const outcome = await pool.run({ task: "face_detection", entityId, options: {} });
        answers[entityId] = outcome.ok
          ? (outcome.result as FaceDetectionResult).face_count
          : outcome.code;
      }
    };
    await Promise.all([keepOneBusy(), keepOneBusy()]);
    assert.deepEqual(
      mixed.map(([what], i) => [what, answers[i]]),
      mixed.map(([what, , answer]) => [what, answer]),
    );
    assert.deepEqual(lost, [], "a worker was ended");
  } finally {
    pool.close();
  }
});
