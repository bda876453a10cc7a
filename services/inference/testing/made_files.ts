/**
 * Picture files for tests, written by ImageMagick.
 *
 * @module
 */
import { loadMagick } from "@fovea/pictures/magick";
import {
  type IMagickImage,
  MagickColor,
  MagickFormat,
  MagickImage,
} from "@imagemagick/magick-wasm";

/** A picture in one colour. `change` may paint on it, or add what a header says. */
export async function file(
  format: MagickFormat,
  width: number,
  height: number,
  colour: string,
  change: (image: IMagickImage) => void = () => {},
): Promise<Uint8Array> {
  await loadMagick();
  const image = MagickImage.create(new MagickColor(colour), width, height);
  try {
    image.quality = 95;
    change(image);
    return image.write(format, (bytes) => bytes.slice());
  } finally {
    image.dispose();
  }
}

/** A JPEG with its corners red, green, blue and white, row by row. */
export function quarters(
  width: number,
  height: number,
  change: (image: IMagickImage) => void,
): Promise<Uint8Array> {
  return file(MagickFormat.Jpeg, width, height, "#ffffff", (image) => {
    const paint = (x: number, y: number, colour: string) => {
      const quarter = MagickImage.create(new MagickColor(colour), width / 2, height / 2);
      image.getPixels((pixels) => {
        const area = quarter.getPixels((part) => part.getArea(0, 0, width / 2, height / 2));
        pixels.setArea(x, y, width / 2, height / 2, area);
      });
      quarter.dispose();
    };
    paint(0, 0, "#ff0000");
    paint(width / 2, 0, "#00ff00");
    paint(0, height / 2, "#0000ff");
    change(image);
  });
}
