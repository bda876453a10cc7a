import type { BoundingBox, Face, FaceDetectionOptions, FaceDetectionResult } from "@fovea/contract";
import { testNeeding } from "@fovea/testing";
import { type TestModel, testModel, yunet, yunetDynamic } from "@fovea/testing/models";
import {
  CompositeOperator,
  MagickColor,
  MagickFormat,
  MagickGeometry,
  MagickImage,
  Point,
} from "@imagemagick/magick-wasm";
import assert from "node:assert/strict";
import { overlap } from "../faces/suppress_overlaps.ts";
import { decode } from "../picture/decode.ts";
import { faceDetection } from "./face_detection.ts";

const IMAGES = new URL("../../../clients/images/", import.meta.url);
const read = (name: string) => Deno.readFile(new URL(name, IMAGES));
const astronaut = await read("astronaut.png");
// Readies ImageMagick, with which the canvases below are made.
(await decode(astronaut, 1e6))[Symbol.dispose]();

/** A copy of the astronaut on a canvas: its side and upper left corner, pixels. */
interface Place {
  side: number;
  x: number;
  y: number;
  mirrored: boolean;
}

function canvas(width: number, height: number, places: Place[]): Uint8Array {
  const sheet = MagickImage.create(new MagickColor("#707070"), width, height);
  const portrait = MagickImage.create(astronaut);
  for (const { side, x, y, mirrored } of places) {
    portrait.clone((copy) => {
      copy.resize(side, side);
      if (mirrored) copy.flop();
      sheet.composite(copy, CompositeOperator.Over, new Point(x, y));
    });
  }
  const file = sheet.write(MagickFormat.Png, (bytes) => bytes.slice());
  sheet.dispose();
  portrait.dispose();
  return file;
}

/** Where the face of a copy is; in the portrait itself at 179, 63, 91 × 111. */
function faceOf({ side, x, y, mirrored }: Place): BoundingBox {
  const scale = side / 512;
  const left = mirrored ? 512 - 179 - 91 : 179;
  return { x: x + left * scale, y: y + 63 * scale, width: 91 * scale, height: 111 * scale };
}

/** Three copies at each of 512, 320 and 220 pixels, every other one mirrored. */
const NINE: Place[] = [[512, 10], [320, 540], [220, 900]].flatMap(([side, y]) =>
  [0, 1, 2].map((i) => ({ side: side!, x: 20 + i * (side! + 15), y: y!, mirrored: i % 2 === 1 }))
);
const TWENTY: Place[] = Array.from({ length: 20 }, (_, i) => ({
  side: 220,
  x: 60 + (i % 5) * 790,
  y: 90 + Math.floor(i / 5) * 730,
  mirrored: i % 2 === 1,
}));

function allFound(faces: Face[], places: Place[], least: number): void {
  assert.equal(faces.length, places.length);
  for (const place of places) {
    const best = Math.max(...faces.map(({ bbox }) => overlap(bbox, faceOf(place))));
    assert.ok(best >= least, `face at ${JSON.stringify(faceOf(place))} overlaps only ${best}`);
  }
}

/** A part of a picture, scaled to a height. */
function cutOut(picture: Uint8Array, box: BoundingBox, height: number): Uint8Array {
  const part = MagickImage.create(picture);
  part.crop(new MagickGeometry(box.x, box.y, box.width, box.height));
  part.resetPage();
  part.resize(Math.round(box.width * height / box.height), height);
  const file = part.write(MagickFormat.Png, (bytes) => bytes.slice());
  part.dispose();
  return file;
}

type Detect = (bytes: Uint8Array, options?: FaceDetectionOptions) => Promise<FaceDetectionResult>;

async function detector(model: TestModel): Promise<Detect> {
  const task = await faceDetection.load(model);
  return async (bytes, options = {}) => {
    using picture = await decode(bytes, 50_000_000);
    return await task.prepare(picture, 1, options)() as FaceDetectionResult;
  };
}

/** What both models must find. */
function promises(detect: Detect) {
  return [
    ["finds the one face of a portrait where it is", async () => {
      const { faces, image_width, image_height } = await detect(astronaut);
      allFound(faces, [{ side: 512, x: 0, y: 0, mirrored: false }], 0.7);
      assert.deepEqual([image_width, image_height], [512, 512]);
      assert.ok(faces[0]!.confidence > 0.6 && faces[0]!.confidence <= 1);
    }],
    ["finds the one face of a grey picture", async () => {
      assert.equal((await detect(await read("camera.png"))).face_count, 1);
    }],
    ["finds no face where there is none", async () => {
      assert.equal((await detect(await read("coffee.png"))).face_count, 0);
      assert.equal((await detect(await read("rocket.jpg"))).face_count, 0);
    }],
    ["finds nine faces of three sizes, largest first", async () => {
      const { faces } = await detect(canvas(1600, 1200, NINE));
      allFound(faces, NINE, 0.5);
      const areas = faces.map(({ bbox }) => bbox.width * bbox.height);
      assert.deepEqual(areas, areas.toSorted((a, b) => b - a));
      assert.deepEqual(faces.map(({ face_index }) => face_index), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }],
    ["finds twenty small faces in a large picture", async () => {
      allFound((await detect(canvas(4000, 3000, TWENTY))).faces, TWENTY, 0.5);
    }],
    ["finds a face that fills the picture, and keeps its box inside", async () => {
      for (const scale of [1, 4, 10]) {
        const file = cutOut(astronaut, { x: 179, y: 63, width: 91, height: 111 }, 111 * scale);
        const { faces, image_width, image_height } = await detect(file);
        assert.equal(faces.length, 1, `scale ${scale}`);
        const { x, y, width, height } = faces[0]!.bbox;
        assert.ok(x >= 0 && y >= 0 && x + width <= image_width && y + height <= image_height);
        assert.ok(width * height > 0.7 * image_width * image_height);
      }
    }],
    ["finds a face of which the picture shows only the inner part", async () => {
      for (const height of [640, 1110]) {
        const inner = { x: 193, y: 80, width: 63, height: 77 };
        assert.equal((await detect(cutOut(astronaut, inner, height))).face_count, 1);
      }
    }],
    ["takes no cat for a face, as it is and close up", async () => {
      const chelsea = await read("chelsea.png");
      assert.equal((await detect(chelsea)).face_count, 0);
      for (const height of [240, 640]) {
        const head = { x: 31, y: 0, width: 308, height: 300 };
        assert.equal((await detect(cutOut(chelsea, head, height))).face_count, 0);
      }
    }],
    ["leaves out faces less sure than a job wants, and adds those that it allows", async () => {
      const picture = canvas(1600, 1200, NINE);
      const { faces } = await detect(picture);
      const surest = Math.max(...faces.map(({ confidence }) => confidence));
      const boxes = (found: Face[]) => found.map(({ bbox, confidence }) => ({ bbox, confidence }));
      for (const min_confidence of [surest, 1]) {
        const fewer = await detect(picture, { min_confidence });
        assert.deepEqual(
          boxes(fewer.faces),
          boxes(faces.filter(({ confidence }) => confidence >= min_confidence)),
        );
        assert.equal(fewer.face_count, fewer.faces.length);
      }
      const { faces: more } = await detect(picture, { min_confidence: 0.05 });
      assert.ok(more.length > faces.length);
      assert.ok(Math.min(...more.map(({ confidence }) => confidence)) < 0.5);
      assert.deepEqual(
        boxes(
          more.filter(({ confidence }) => faces.some((face) => face.confidence === confidence)),
        ),
        boxes(faces),
      );
    }],
    ["keeps the most confident faces of more than a job wants, largest first", async () => {
      const picture = canvas(1600, 1200, NINE);
      const { faces } = await detect(picture);
      const least = faces.map(({ confidence }) => confidence).toSorted((a, b) => b - a)[3]!;
      const { faces: four, face_count } = await detect(picture, { max_faces: 4 });
      assert.equal(face_count, 4);
      assert.deepEqual(
        four.map(({ bbox }) => bbox),
        faces.filter(({ confidence }) => confidence >= least).map(({ bbox }) => bbox),
      );
      assert.deepEqual(four.map(({ face_index }) => face_index), [0, 1, 2, 3]);
    }],
  ] as const;
}

const withUltraface = await detector(await testModel("face_detection", "ultraface-rfb-320"));
const missing: Detect = () => Promise.reject(new Error("the model is not there"));
const withYunet = yunet.model === null ? missing : await detector(yunet.model);
const withYunetDynamic = yunetDynamic.model === null ? missing : await detector(yunetDynamic.model);

for (const [promise, test] of promises(withYunet)) {
  testNeeding([yunet], `YuNet ${promise}`, test);
}

for (const [promise, test] of promises(withYunetDynamic)) {
  testNeeding([yunetDynamic], `YuNet-n dynamic ${promise}`, test);
}

testNeeding([yunet], "YuNet's landmarks lie in the face, left and right as seen", async () => {
  const { faces } = await withYunet(astronaut);
  const { bbox, landmarks } = faces[0]!;
  assert.equal(landmarks?.length, 5);
  for (const [x, y] of landmarks!) {
    assert.ok(x > bbox.x && x < bbox.x + bbox.width && y > bbox.y && y < bbox.y + bbox.height);
  }
  const [leftEye, rightEye, nose, leftMouth, rightMouth] = landmarks!.map(([x, y]) => ({ x, y }));
  assert.ok(leftEye!.x < nose!.x && nose!.x < rightEye!.x);
  assert.ok(leftMouth!.x < rightMouth!.x);
  assert.ok(leftEye!.y < nose!.y && nose!.y < leftMouth!.y);
});

for (const [promise, test] of promises(withUltraface)) {
  Deno.test(`UltraFace ${promise}`, test);
}

Deno.test("UltraFace has no landmarks, and says so", async () => {
  assert.equal((await withUltraface(astronaut)).faces[0]!.landmarks, null);
});
