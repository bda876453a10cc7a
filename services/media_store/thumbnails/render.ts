/**
 * Makes a thumbnail of a picture's bytes, by ImageMagick compiled to WebAssembly.
 *
 * @module
 */
import { canvasOf, loadMagick, toSrgb } from "@fovea/pictures/magick";
import { Problem } from "@fovea/contract";
import {
  AlphaAction,
  FilterType,
  type IMagickImage,
  MagickColors,
  MagickError,
  MagickFormat,
  MagickGeometry,
  MagickImage,
  MagickReadSettings,
  ResourceLimits,
} from "@imagemagick/magick-wasm";
import { SOURCES, type ThumbnailFormat, type ThumbnailOrder } from "./thumbnail.ts";

/** Quality of 1 to 100: above, files grow and nobody sees why. */
const WRITTEN: Readonly<Record<ThumbnailFormat, { format: MagickFormat; quality: number }>> = {
  webp: { format: MagickFormat.WebP, quality: 80 },
  jpeg: { format: MagickFormat.Jpeg, quality: 82 },
};

/** Bytes of pixels at once: more than twice what the largest picture allowed by default has, 4 a pixel. */
const MAX_PIXEL_MEMORY = 512n * 1024n * 1024n;

interface Size {
  width: number;
  height: number;
}

let initialized: Promise<void> | undefined;

async function load(): Promise<void> {
  await loadMagick();
  ResourceLimits.memory = MAX_PIXEL_MEMORY;
}

/**
 * The picture as a viewer shows it (EXIF orientation applied; of an animation the first frame), in
 * sRGB, no side longer than asked for and never enlarged, and without any metadata. Transparency
 * stays in WebP, and lies over white in JPEG.
 *
 * @param bytes of the picture's file, whose type `mimeType` names
 * @throws {Problem} `image_unreadable`, `image_too_large`
 */
export async function renderThumbnail(
  bytes: Uint8Array,
  { mimeType, size, format, maxPixels }: Omit<ThumbnailOrder, "path">,
): Promise<Uint8Array<ArrayBuffer>> {
  await (initialized ??= load());
  const source = MagickFormat[SOURCES[mimeType]!];
  const settings = new MagickReadSettings({ format: source, frameIndex: 0, frameCount: 1 });
  const image = MagickImage.create();
  try {
    attempt(() => image.ping(bytes, settings));
    refuseSize(canvasOf(image, source), maxPixels);
    if (source === MagickFormat.Jpeg) {
      // It may be shrunk while it is decoded, to twice what is needed: less would cost sharpness.
      settings.setDefine(source, "size", `${2 * size}x${2 * size}`);
    }
    attempt(() => image.read(bytes, settings));
    return attempt(() => {
      toCanvas(image, source);
      shrink(image, size);
      toSrgb(image);
      if (format === "jpeg") overWhite(image);
      image.autoOrient();
      image.strip();
      const { format: written, quality } = WRITTEN[format];
      image.quality = quality;
      return image.write(written, (thumbnail) => thumbnail.slice());
    });
  } finally {
    image.dispose();
  }
}

function refuseSize({ width, height }: Size, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  throw new Problem(
    "image_too_large",
    `picture is ${width} × ${height}, ${width * height} pixels: at most ${maxPixels} are allowed`,
  );
}

function toCanvas(image: IMagickImage, format: MagickFormat): void {
  const canvas = canvasOf(image, format);
  const { x, y } = image.page;
  image.resetPage();
  if (canvas.width === image.width && canvas.height === image.height) return;
  image.backgroundColor = MagickColors.Transparent;
  image.extent(new MagickGeometry(-x, -y, canvas.width, canvas.height));
}

function shrink(image: IMagickImage, longestSide: number): void {
  const { width, height } = image;
  const scale = longestSide / Math.max(width, height);
  if (scale >= 1) return;
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  image.resize(new MagickGeometry(`${side(width)}x${side(height)}!`), FilterType.Lanczos);
}

function overWhite(image: IMagickImage): void {
  image.backgroundColor = MagickColors.White;
  if (image.hasAlpha) image.alpha(AlphaAction.Remove);
}

/** Says in our words what ImageMagick says in its own. */
function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof MagickError)) throw error;
    if (/CacheResourcesExhausted/.test(error.message)) {
      const most = `${MAX_PIXEL_MEMORY >> 20n} MiB`;
      throw new Problem("image_too_large", `picture takes more memory than the ${most} allowed`);
    }
    // Its messages end in the place of its source where they arose.
    const said = error.message.replace(/\s*`\S*' @ .*$/, "");
    throw new Problem("image_unreadable", `picture can't be decoded: ${said}`);
  }
}
