import { displayProfile } from "@fovea/pictures/icc_profile";
import type { Problem } from "@fovea/contract";
import {
  ColorProfile,
  ColorSpace,
  ImageProfile,
  type MagickFormat,
  Orientation,
} from "@imagemagick/magick-wasm";
import assert from "node:assert/strict";
import { craftExif, craftPng } from "../testing/crafted_picture.ts";
import { readPictureMetadata } from "../media/picture_metadata.ts";
import { alike, look, makePicture, turned } from "../testing/made_pictures.ts";
import { renderThumbnail } from "./render.ts";
import type { ThumbnailFormat, ThumbnailSize } from "./thumbnail.ts";

const maxPixels = 50_000_000;
const RED = [255, 0, 0];
const BLUE = [0, 0, 255];

function render(
  bytes: Uint8Array,
  size: ThumbnailSize = 64,
  format: ThumbnailFormat = "webp",
) {
  return renderThumbnail(bytes, { size, format, maxPixels });
}

Deno.test("the longest side is as long as asked for, the other as the picture's shape wants it", async () => {
  const png = makePicture("Png", { width: 1000, height: 400 });
  for (const [size, height] of [[64, 26], [256, 102], [512, 205]] as const) {
    const seen = look(await render(png, size));
    assert.deepEqual([seen.format, seen.size], ["WEBP", [size, height]]);
  }
  const sliver = look(await render(makePicture("Png", { width: 2000, height: 2 })));
  assert.deepEqual(sliver.size, [64, 1]);
});

Deno.test("a small picture is not enlarged", async () => {
  const seen = look(await render(makePicture("Png", { width: 40, height: 30 }), 256));
  assert.deepEqual(seen.size, [40, 30]);
});

Deno.test("each format that is taken can be shown, as WebP and as JPEG", async () => {
  const formats: [keyof typeof MagickFormat, string][] = [
    ["Jpeg", "image/jpeg"],
    ["Png", "image/png"],
    ["WebP", "image/webp"],
    ["Gif", "image/gif"],
    ["Tiff", "image/tiff"],
    ["Avif", "image/avif"],
    ["Bmp", "image/bmp"],
  ];
  for (const [format, mimeType] of formats) {
    const bytes = makePicture(format, { width: 200, height: 100, left: "#ff0000" });
    for (const written of ["webp", "jpeg"] as const) {
      const seen = look(await render(bytes, 64, written));
      assert.deepEqual([seen.format, seen.size], [written.toUpperCase(), [64, 32]], mimeType);
      assert.ok(alike(seen.colourAt(10, 16), RED), `${mimeType}: ${seen.colourAt(10, 16)}`);
      assert.ok(alike(seen.colourAt(54, 16), BLUE), mimeType);
    }
  }
});

Deno.test("the picture stands as a viewer shows it, whatever its EXIF orientation", async () => {
  // Where the red left half of the stored picture comes to lie.
  const places = {
    1: "left",
    2: "right",
    3: "right",
    4: "left",
    5: "top",
    6: "top",
    7: "bottom",
    8: "bottom",
  };
  const halves = makePicture("Jpeg", { width: 200, height: 100, left: "#ff0000" });
  for (const [orientation, place] of Object.entries(places)) {
    const seen = look(await render(turned(halves, Number(orientation))));
    const lies = ["left", "right"].includes(place);
    assert.deepEqual(seen.size, lies ? [64, 32] : [32, 64], orientation);
    const [x, y] = { left: [8, 16], right: [56, 16], top: [16, 8], bottom: [16, 56] }[place]!;
    assert.ok(alike(seen.colourAt(x!, y!), RED), orientation);
    assert.deepEqual(seen.profiles, []);
  }
});

Deno.test("the metadata of a turned picture and its thumbnail agree, whatever the format", async () => {
  const exif = new ImageProfile("exif", craftExif({ orientation: 6 }));
  const formats: [keyof typeof MagickFormat, string][] = [
    ["Png", "image/png"],
    ["WebP", "image/webp"],
    ["Tiff", "image/tiff"],
    ["Avif", "image/avif"],
  ];
  for (const [format, mimeType] of formats) {
    const bytes = makePicture(format, {
      width: 200,
      height: 100,
      change: (image) => {
        image.orientation = Orientation.RightTop;
        image.setProfile(exif);
      },
    });
    const metadata = await readPictureMetadata(bytes, mimeType, maxPixels);
    assert.deepEqual([metadata.width, metadata.height], [100, 200], mimeType);
    assert.deepEqual(look(await render(bytes)).size, [32, 64], mimeType);
  }
});

Deno.test("colours are sRGB, by the embedded profile or from CMYK", async () => {
  // A screen whose red is sRGB's green.
  const swapped = displayProfile({
    red: [0.3850649, 0.7168786, 0.0971045],
    green: [0.4360747, 0.2225045, 0.0139322],
    blue: [0.1430804, 0.0606169, 0.7141733],
  });
  const profiled = makePicture("Png", {
    width: 100,
    height: 100,
    colour: "#ff0000",
    change: (image) => image.setProfile(new ColorProfile(swapped)),
  });
  const seen = look(await render(profiled));
  assert.ok(alike(seen.colourAt(9, 9), [0, 255, 0]), String(seen.colourAt(9, 9)));
  assert.deepEqual(seen.profiles, []);
  const cmyk = makePicture("Jpeg", {
    width: 100,
    height: 100,
    colour: "#ff0000",
    change: (image) => image.colorSpace = ColorSpace.CMYK,
  });
  assert.ok(alike(look(await render(cmyk)).colourAt(9, 9), RED));
});

Deno.test("transparency stays in WebP and lies over white in JPEG", async () => {
  const half = makePicture("Png", { width: 100, height: 100, colour: "#ff000080" });
  assert.ok(alike(look(await render(half)).colourAt(9, 9), [255, 0, 0, 128]));
  const jpeg = look(await render(half, 64, "jpeg"));
  assert.ok(alike(jpeg.colourAt(9, 9), [255, 127, 127]));
});

Deno.test("a picture that is too large, broken or none at all is refused in our words", async () => {
  const refusal = async (bytes: Uint8Array) => {
    const request = { size: 64, format: "webp", maxPixels: 10_000 } as const;
    const problem: Problem = await renderThumbnail(bytes, request).then(
      () => assert.fail("was made"),
      (error) => error,
    );
    return [problem.code, problem.message] as const;
  };
  const large = makePicture("Png", { width: 101, height: 100 });
  const [code, detail] = await refusal(large);
  assert.equal(code, "image_too_large");
  assert.equal(detail, "picture is 101 × 100, 10100 pixels: at most 10000 are allowed");
  assert.equal((await refusal(craftPng(30, 20)))[0], "image_unreadable");
  // What names itself one thing and is another is never read as the other.
  const script = new TextEncoder().encode(
    "push graphic-context\nimage over 0,0 0,0 '/etc/passwd'\n",
  );
  assert.equal((await refusal(script))[0], "image_unreadable");
});
