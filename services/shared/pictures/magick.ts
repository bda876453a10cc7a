/**
 * ImageMagick compiled to WebAssembly, as both services use it: how it is loaded, and what a picture
 * is before anything else is done to it.
 *
 * @module
 */
import {
  ColorProfile,
  ColorSpace,
  ColorTransformMode,
  type IMagickColor,
  type IMagickImage,
  initializeImageMagick,
  MagickError,
  MagickFormat,
  MagickGeometry,
  ResourceLimits,
} from "@imagemagick/magick-wasm";
import { SRGB } from "./icc_profile.ts";

/** Formats whose first frame may cover only a part of the canvas that viewers show. */
const ANIMATED: readonly MagickFormat[] = [MagickFormat.Gif, MagickFormat.WebP];

let loaded: Promise<void> | undefined;

/** Makes ImageMagick ready in this thread; called by whoever needs it, does its work once. */
export function loadMagick(): Promise<void> {
  return loaded ??= load();
}

async function load(): Promise<void> {
  const path = new URL(import.meta.resolve("@imagemagick/magick-wasm/magick.wasm"));
  // Not compiled while it is read: a thread that is ended meanwhile would take the whole process
  // along (a fault of Deno 2.7).
  const bytes = await Deno.readFile(path);
  await initializeImageMagick(new WebAssembly.Module(bytes));
  // 14 MB, of which WebAssembly has a copy of its own: given back now, and not some time later.
  bytes.buffer.transfer(0);
  // Its disk would be memory, too: a file system that WebAssembly makes believe.
  ResourceLimits.disk = 0n;
}

/** The size in pixels that viewers show, before the picture is turned: of the canvas where there is one. */
export function canvasOf(
  { width, height, page }: IMagickImage,
  format: MagickFormat | undefined,
): { width: number; height: number } {
  // A PNG or TIFF, too, may say where on a larger page it belongs: viewers don't care.
  if (format === undefined || !ANIMATED.includes(format)) return { width, height };
  return {
    width: Math.max(page.width, page.x + width),
    height: Math.max(page.height, page.y + height),
  };
}

/**
 * Puts a picture onto its canvas.
 *
 * @param background what the canvas shows where the picture isn't
 */
export function toCanvas(
  image: IMagickImage,
  format: MagickFormat,
  background: IMagickColor,
): void {
  const canvas = canvasOf(image, format);
  const { x, y } = image.page;
  image.resetPage();
  if (canvas.width === image.width && canvas.height === image.height) return;
  image.backgroundColor = background;
  image.extent(new MagickGeometry(-x, -y, canvas.width, canvas.height));
}

/** Converts by the embedded profile, or else by the kind of colours that the picture has. */
export function toSrgb(image: IMagickImage): void {
  try {
    // Does nothing without a profile. In 8 bits, which is all there is: twelve times as fast.
    image.transformColorSpace(new ColorProfile(SRGB), ColorTransformMode.Quantum);
  } catch (error) {
    // A profile that can't be used, or is of other colours than the picture: viewers ignore it.
    if (!(error instanceof MagickError)) throw error;
  }
  if (image.colorSpace !== ColorSpace.sRGB) image.colorSpace = ColorSpace.sRGB;
}
