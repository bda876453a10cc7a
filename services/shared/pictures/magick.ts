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
  type IMagickImage,
  initializeImageMagick,
  MagickError,
  MagickFormat,
  ResourceLimits,
} from "@imagemagick/magick-wasm";
import { SRGB } from "./icc_profile.ts";

/** Formats whose first frame may cover only a part of the canvas that viewers show. */
const ANIMATED: readonly MagickFormat[] = [MagickFormat.Gif, MagickFormat.WebP];

/** Makes ImageMagick ready in this thread; to be called once. */
export async function loadMagick(): Promise<void> {
  const file = await Deno.open(
    new URL(import.meta.resolve("@imagemagick/magick-wasm/magick.wasm")),
  );
  const headers = { "Content-Type": "application/wasm" };
  await initializeImageMagick(
    // Compiled as it is read: its 14 MB need not lie in memory beside what becomes of them.
    await WebAssembly.compileStreaming(new Response(file.readable, { headers })),
  );
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

/** By the embedded profile, or else by the kind of colours that the picture has. */
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
