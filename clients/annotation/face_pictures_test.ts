import type { FaceDetectionResult } from "@fovea/contract";
import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { BOX_COLOUR } from "./annotation.ts";
import { runClient } from "../testing/client_process.ts";
import { orientedJpeg } from "../testing/oriented_jpeg.ts";
import { decodePicture, type Picture, rectangle } from "./picture.ts";
import { FACES, StandIn } from "../testing/stand_in.ts";

const imagePath = (name: string) => new URL(`../images/${name}`, import.meta.url).pathname;
const at = ({ address }: StandIn) => ["--media-store", address, "--inference", address];
const [BOX_VALUE] = rectangle(1, 1, BOX_COLOUR).u32;

async function decoded(path: string): Promise<Picture> {
  return await decodePicture(await Deno.readFile(path));
}

async function namesIn(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).toSorted();
}

/** A face of 80 × 100 pixels at (200, 300). */
function oneFaceIn(image_width: number, image_height: number): FaceDetectionResult {
  const bbox = { x: 200, y: 300, width: 80, height: 100 };
  const face = { face_index: 0, bbox, landmarks: null, confidence: 0.5 };
  return { faces: [face], face_count: 1, image_width, image_height };
}

Deno.test("faces are drawn on a copy of the picture, the rest of it unchanged", async () => {
  await using standIn = await StandIn.start();
  await using folder = await temporaryFolder();
  const image = imagePath("astronaut.png");
  const [out, crops] = [`${folder.path}/out.png`, `${folder.path}/faces`];
  const args = [image, ...at(standIn), "--annotate", out, "--crops", crops];
  const { code, stdout } = await runClient("face-client", args);
  assert.equal(code, 0);
  assert.match(stdout, /astronaut\.png: 1 face/);

  const [before, after] = [await decoded(image), await decoded(out)];
  assert.deepEqual([after.width, after.height], [512, 512]);
  // The box of FACES in whole pixels: from (179, 63) to (271, 173).
  for (const [x, y] of [[179, 120], [270, 120], [225, 63], [225, 172]]) {
    assert.equal(after.u32[x! + 512 * y!], BOX_VALUE, `${x}, ${y}`);
  }
  const below = 512 * 180;
  assert.deepEqual(after.u32.subarray(below), before.u32.subarray(below));

  assert.deepEqual(await namesIn(crops), ["astronaut-face-1.png"]);
  const face = await decoded(`${crops}/astronaut-face-1.png`);
  // 91.2 × 110.8 with a quarter of each on both sides, and nothing drawn on it.
  assert.deepEqual([face.width, face.height], [136, 166]);
  assert.deepEqual(face.u32, before.cut("box", 157, 35, 136, 166).u32);
});

Deno.test("a turned photo is drawn on as it is shown", async () => {
  await using standIn = await StandIn.start();
  standIn.onSubmit = (job) => standIn.complete(job, oneFaceIn(427, 640));
  await using folder = await temporaryFolder();
  const image = `${folder.path}/turned.jpg`;
  await Deno.writeFile(image, orientedJpeg(await Deno.readFile(imagePath("rocket.jpg")), 6));
  const args = [image, ...at(standIn), "--annotate", folder.path, "--crops", folder.path];
  const { code, stderr } = await runClient("face-client", args);
  assert.equal(code, 0, stderr);

  const [before, after] = [await decoded(image), await decoded(`${folder.path}/turned-faces.png`)];
  assert.deepEqual([after.width, after.height], [427, 640]);
  assert.equal(after.u32[200 + 427 * 350], BOX_VALUE);
  assert.deepEqual(after.u32.subarray(427 * 410), before.u32.subarray(427 * 410));
  const face = await decoded(`${folder.path}/turned-face-1.png`);
  assert.deepEqual([face.width, face.height], [120, 150]);
});

Deno.test("a picture that can't be drawn on has its faces printed, and ends with 1", async () => {
  await using standIn = await StandIn.start();
  await using folder = await temporaryFolder();
  const image = `${folder.path}/photo.webp`;
  await Deno.writeTextFile(image, "RIFF\x24\0\0\0WEBPVP8 ");
  const args = [image, ...at(standIn), "--annotate", `${folder.path}/out.png`, "--quiet"];
  const { code, stdout, stderr } = await runClient("face-client", args);
  assert.equal(code, 1);
  assert.match(stdout, /photo\.webp: 1 face/);
  assert.match(
    stderr,
    /^Cannot make pictures of the faces in .*photo\.webp: it is neither a JPEG nor a PNG file/,
  );
  assert.deepEqual(await namesIn(folder.path), ["photo.webp"]);

  const several = [imagePath("astronaut.png"), image, ...at(standIn), "--crops", folder.path];
  assert.equal((await runClient("face-client", several)).code, 5);
  assert.deepEqual(await namesIn(folder.path), ["astronaut-face-1.png", "photo.webp"]);
});

Deno.test("a file that can't be written is named, and its faces are printed", async () => {
  await using standIn = await StandIn.start();
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/astronaut-face-1.png`);
  const args = [imagePath("astronaut.png"), ...at(standIn), "--crops", folder.path, "--quiet"];
  const { code, stdout, stderr } = await runClient("face-client", args);
  assert.equal(code, 2);
  assert.match(stdout, /1 face/);
  assert.match(stderr, /astronaut-face-1\.png can't be written: is a directory\n$/);
});

Deno.test("a name that can't be written to ends with 2 before anybody is called", async () => {
  await using standIn = await StandIn.start();
  const args = [imagePath("horse.png"), ...at(standIn), "--annotate", "/no/such/folder/out.png"];
  const { code, stdout, stderr } = await runClient("face-client", args);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.equal(
    stderr,
    "Cannot run face-client: option '--annotate' argument '/no/such/folder/out.png' is invalid: " +
      "there is no folder /no/such/folder\n",
  );
  assert.deepEqual(standIn.calls, []);
});

Deno.test("boxes are not drawn where they don't belong: on a picture of another size", async () => {
  await using standIn = await StandIn.start();
  await using folder = await temporaryFolder();
  const args = [imagePath("horse.png"), ...at(standIn), "--annotate", `${folder.path}/out.png`];
  const { code, stderr } = await runClient("face-client", args);
  assert.equal(code, 1);
  assert.match(stderr, /decoded to 400 × 328 pixels, but faces were looked for in 512 × 512/);
  assert.deepEqual(await namesIn(folder.path), []);
});

Deno.test("a picture without faces is copied as it is, and gives no crops", async () => {
  await using standIn = await StandIn.start();
  const nobody = { ...FACES, faces: [], face_count: 0 };
  standIn.onSubmit = (job) => standIn.complete(job, nobody);
  await using folder = await temporaryFolder();
  const image = imagePath("astronaut.png");
  const args = [image, ...at(standIn), "--annotate", folder.path, "--crops", folder.path];
  assert.equal((await runClient("face-client", args)).code, 0);
  assert.deepEqual(await namesIn(folder.path), ["astronaut-faces.png"]);
  const copy = await decoded(`${folder.path}/astronaut-faces.png`);
  assert.deepEqual(copy.u32, (await decoded(image)).u32);
});
