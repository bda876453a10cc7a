import { Problem } from "@fovea/contract";
import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { chooseDestinations } from "./destination.ts";

function choose(images: string[], where: { annotate?: string; crops?: string }) {
  return chooseDestinations({ images, ...where });
}

async function refused(
  images: string[],
  where: { annotate?: string; crops?: string },
  message: RegExp,
): Promise<void> {
  await assert.rejects(choose(images, where), (error) => {
    assert.ok(error instanceof Problem);
    assert.equal(error.code, "usage");
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("nothing is written where nothing is asked for", async () => {
  const destinationOf = await choose(["a.png", "b/a.png"], {});
  assert.deepEqual(destinationOf("a.png"), { annotated: undefined, crop: undefined });
});

Deno.test("one picture's drawing goes to the file that is named, its faces into the folder", async () => {
  await using folder = await temporaryFolder();
  const [annotate, crops] = [`${folder.path}/out.PNG`, `${folder.path}/faces/of/us`];
  const { annotated, crop } = (await choose(["in/me.jpg"], { annotate, crops }))("in/me.jpg");
  assert.equal(annotated, annotate);
  assert.equal(crop?.(3), `${crops}/me-face-3.png`);
  assert.ok((await Deno.stat(crops)).isDirectory);
});

Deno.test("several pictures' drawings go into a folder, a new one or one that is there", async () => {
  await using folder = await temporaryFolder();
  for (const annotate of [`${folder.path}/new/`, folder.path]) {
    const destinationOf = await choose(["x/a.png", "b.tar.jpg"], { annotate });
    assert.equal(destinationOf("x/a.png").annotated, `${annotate}/a-faces.png`.replace("//", "/"));
    assert.match(destinationOf("b.tar.jpg").annotated ?? "", /\/b\.tar-faces\.png$/);
  }
  assert.ok((await Deno.stat(`${folder.path}/new`)).isDirectory);
});

Deno.test("a name that can't be written to is refused, with what can", async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  await Deno.writeTextFile(`${path}/file`, "");
  await refused(
    ["a.png", "b.png"],
    { annotate: `${path}/out.png` },
    /'--annotate' argument '.*out\.png' is invalid: it is one file for 2 pictures: .*"\/"$/,
  );
  await refused(["a.png"], { annotate: `${path}/out.jpg` }, /expected a name ending in "\.png"/);
  await refused(["a.png"], { annotate: `${path}/out` }, /or in "\/" for a folder$/);
  await refused(["a.png"], { annotate: `${path}/no/out.png` }, /there is no folder .*\/no$/);
  await refused(
    ["a.png"],
    { annotate: `${path}/file/` },
    /the folder can't be made: file exists$/,
  );
  await refused(
    ["a.png"],
    { crops: `${path}/file/faces` },
    /'--crops' .* the folder can't be made: not a directory$/,
  );
});

Deno.test("two pictures of one name can't go into one folder", async () => {
  await using folder = await temporaryFolder();
  const images = ["x/a.png", "y/a.jpg"];
  const message =
    /^x\/a\.png and y\/a\.jpg would both be written to .*\/a-face.*\.png: give them in/;
  await refused(images, { annotate: `${folder.path}/` }, message);
  await refused(images, { crops: folder.path }, message);
});

Deno.test("no picture is overwritten, by whichever name it was reached", async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  const picture = async (name: string) => {
    await Deno.writeTextFile(`${path}/${name}`, "");
    return `${path}/${name}`;
  };
  const photo = await picture("photo.png");
  await Deno.symlink(photo, `${path}/link.png`);
  const overwritten = /photo.*\.png, one of the pictures, would be overwritten: choose another/;
  await refused([photo], { annotate: photo }, overwritten);
  await refused([photo], { annotate: `${path}/link.png` }, overwritten);
  await refused([photo, await picture("photo-faces.png")], { annotate: path }, overwritten);
  await refused([photo, await picture("photo-face-12.png")], { crops: `${path}/.` }, overwritten);
  // Faces of an earlier call, looked at by themselves.
  await choose([await picture("photo-face-1.png")], { crops: path });
});
