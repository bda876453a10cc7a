/**
 * Picture files for tests, written by ImageMagick, and a look at what came of them.
 *
 * @module
 */
import {
  type IMagickImage,
  initializeImageMagick,
  MagickColor,
  MagickFormat,
  MagickImage,
  MagickReadSettings,
} from "@imagemagick/magick-wasm";
import { craftExif, u16 } from "./crafted_picture.ts";

type Bytes = Uint8Array<ArrayBuffer>;

await initializeImageMagick(
  await Deno.readFile(new URL(import.meta.resolve("@imagemagick/magick-wasm/magick.wasm"))),
);

export interface Made {
  width: number;
  height: number;
  colour?: string;
  /** The colour of the left half. */
  left?: string;
  change?: (image: IMagickImage) => void;
}

/** A picture in one colour, or in two halves. */
export function makePicture(format: keyof typeof MagickFormat, made: Made): Bytes {
  const { width, height, colour = "#0000ff", left, change } = made;
  const image = MagickImage.create(new MagickColor(colour), width, height);
  try {
    if (left !== undefined) paintLeft(image, left);
    image.quality = 95;
    change?.(image);
    return image.write(MagickFormat[format], (bytes) => bytes.slice());
  } finally {
    image.dispose();
  }
}

/** A JPEG with an EXIF block that says how it is to be turned, 1 to 8. */
export function turned(jpeg: Bytes, orientation: number): Bytes {
  const exif = craftExif({ orientation });
  const segment = [0xff, 0xe1, ...u16(exif.length + 2), ...exif];
  return new Uint8Array([...jpeg.slice(0, 2), ...segment, ...jpeg.slice(2)]);
}

function paintLeft(image: IMagickImage, colour: string): void {
  const [width, height] = [image.width / 2, image.height];
  const half = MagickImage.create(new MagickColor(colour), width, height);
  image.getPixels((pixels) => {
    pixels.setArea(0, 0, width, height, half.getPixels((own) => own.getArea(0, 0, width, height)));
  });
  half.dispose();
}

export interface Look {
  format: string;
  size: [width: number, height: number];
  /** 0…255 each, alpha where there is one. */
  colourAt(x: number, y: number): number[];
  profiles: string[];
}

/** Decodes a file and says what is to be seen. */
export function look(bytes: Uint8Array): Look {
  const image = MagickImage.create(bytes, new MagickReadSettings());
  try {
    const { width, height } = image;
    const pixels = image.getPixels((own) => own.getArea(0, 0, width, height));
    const channels = image.channelCount;
    return {
      format: image.format,
      size: [width, height],
      colourAt: (x, y) => {
        const at = (y * width + x) * channels;
        return [...pixels.slice(at, at + channels)];
      },
      profiles: [...image.profileNames],
    };
  } finally {
    image.dispose();
  }
}

/** Whether two colours can hardly be told from each other. */
export function alike(colour: number[], other: number[]): boolean {
  return colour.length === other.length &&
    colour.every((value, i) => Math.abs(value - other[i]!) <= 8);
}
