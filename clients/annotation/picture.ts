/**
 * Pictures as pixels: JPEG and PNG in, as a viewer shows them, and PNG out.
 *
 * [note: inner files of imagescript] Both public modules of imagescript (its main one and `v2`) load a
 * native library as they are imported. A client would then need the permission to call any library of
 * the machine, and it could not be bundled. So three inner files are imported, which are WebAssembly and
 * plain JavaScript. The package has types for none of them that can be used: those of `v2/framebuffer`
 * count as CommonJS, where the module is none. What is used of each is declared here by hand, and the
 * version is exact, so that nothing changes unseen.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import ExifReader from "exifreader";
// @ts-types="./imagescript.d.ts"
import Framebuffer from "imagescript/v2/framebuffer.mjs";
// @ts-types="./imagescript_jpeg.d.ts"
import jpeg, { type JpegPixels } from "imagescript/wasm/node/jpeg.js";
// @ts-types="./imagescript_png.d.ts"
import png from "imagescript/wasm/node/png.js";

/** Rows from the top, each pixel four bytes: red, green, blue, opacity. */
export type Picture = Framebuffer;

/** What a JPEG's pixels are, as imagescript's decoder numbers them; CMYK is the third. */
const GREY = 0, RGB = 1;

/**
 * Decodes a JPEG or PNG file, turned as its EXIF orientation says.
 *
 * @throws {Problem} `unsupported_media` for other formats; `image_unreadable`
 */
export async function decodePicture(bytes: Uint8Array<ArrayBuffer>): Promise<Picture> {
  const decode = decoderFor(bytes);
  try {
    return turn(await decode(bytes), readOrientation(bytes));
  } catch (error) {
    throw new Problem("image_unreadable", `it can't be decoded: ${(error as Error).message}`);
  }
}

/** A rectangle of one colour. @param colour 0xRRGGBBAA */
export function rectangle(width: number, height: number, colour: number): Picture {
  return new Framebuffer(width, height).fill(colour);
}

export function encodePng(picture: Picture): Uint8Array {
  return picture.encode("png");
}

function decoderFor(bytes: Uint8Array): (bytes: Uint8Array) => Promise<Picture> {
  const begins = (...signature: number[]) => signature.every((byte, at) => bytes[at] === byte);
  if (begins(0xff, 0xd8, 0xff)) return decodeJpeg;
  if (begins(0x89, 0x50, 0x4e, 0x47)) return decodePng;
  throw new Problem(
    "unsupported_media",
    "it is neither a JPEG nor a PNG file, and only these can be drawn on: convert it to one of them",
  );
}

async function decodePng(bytes: Uint8Array): Promise<Picture> {
  const { width, height, framebuffer } = (await png.init()).decode(bytes);
  return new Framebuffer(width, height, framebuffer);
}

async function decodeJpeg(bytes: Uint8Array): Promise<Picture> {
  const pixels = (await jpeg.init()).decode(bytes);
  return new Framebuffer(pixels.width, pixels.height, rgba(pixels));
}

/** @returns 4 × width × height bytes */
function rgba({ width, height, format, buffer }: JpegPixels): Uint8Array {
  const out = new Uint8Array(4 * width * height).fill(255);
  const at = (place: number) => buffer[place]!;
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (format === GREY) {
      out.fill(at(pixel), 4 * pixel, 4 * pixel + 3);
    } else if (format === RGB) {
      for (let i = 0; i < 3; i++) out[4 * pixel + i] = at(3 * pixel + i);
    } else {
      const light = (255 - at(4 * pixel + 3)) / 255;
      for (let i = 0; i < 3; i++) out[4 * pixel + i] = (255 - at(4 * pixel + i)) * light;
    }
  }
  return out;
}

/** The EXIF orientation (EXIF 2.32, 4.6.4 A, tag 274): 1…8, 1 where the file names none. */
function readOrientation(bytes: Uint8Array<ArrayBuffer>): number {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const includeTags = { exif: ["Orientation" as const] };
    const { exif } = ExifReader.loadView(view, { expanded: true, includeTags });
    return exif?.Orientation?.value ?? 1;
  } catch {
    // A picture without a readable EXIF block is a picture all the same.
    return 1;
  }
}

/** Turns a picture from how it is stored to how it is shown. */
function turn(picture: Picture, orientation: number): Picture {
  switch (orientation) {
    case 2:
      return picture.flip("horizontal");
    case 3:
      return picture.rotate(180);
    case 4:
      return picture.flip("vertical");
    case 5:
      return picture.rotate(90).flip("horizontal");
    case 6:
      return picture.rotate(90);
    case 7:
      return picture.rotate(270).flip("horizontal");
    case 8:
      return picture.rotate(270);
    default:
      return picture;
  }
}
