/**
 * What ImageMagick gets wrong about the colours of some TIFFs.
 *
 * @module
 */
import { ColorSpace, ColorType, type IMagickImage } from "@imagemagick/magick-wasm";
import { readTiff } from "./tiff.ts";

/** Tags of TIFF 6.0. */
const TAG = { bitsPerSample: 258, photometric: 262, samplesPerPixel: 277 } as const;

const WHITE_IS_ZERO = 0;

/** To be called once it was read, before anything else is done to it. */
export function correctTiff(image: IMagickImage, bytes: Uint8Array): void {
  // Colours whose planes stand one after the other are read rightly, and called grey: as such they
  // would be written.
  if (image.colorSpace !== ColorSpace.Gray) {
    if (image.colorType === ColorType.Grayscale) image.colorType = ColorType.TrueColor;
    if (image.colorType === ColorType.GrayscaleAlpha) image.colorType = ColorType.TrueColorAlpha;
  }
  if (isReadAsNegative(bytes)) image.negate();
}

/** ImageMagick understands white that is written as 0 with 1 or 8 bits a sample, and not in between. */
function isReadAsNegative(bytes: Uint8Array): boolean {
  const page = readTiff(bytes)[0];
  return page?.number(TAG.photometric) === WHITE_IS_ZERO &&
    (page.number(TAG.samplesPerPixel) ?? 1) === 1 &&
    [2, 4].includes(page.number(TAG.bitsPerSample) ?? 1);
}
