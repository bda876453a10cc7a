/**
 * The preview that a camera puts into its raw file (DNG, CR2, NEF, ARW: all are TIFFs), and how
 * large the picture itself is. The raw data is never developed: that takes seconds, and each
 * program's colours are its own.
 *
 * @module
 */
import { Orientation } from "@imagemagick/magick-wasm";
import { readJpegMarkers } from "./jpeg.ts";
import type { Size } from "./limits.ts";
import { readTiff, type TiffDirectory } from "./tiff.ts";

export interface RawFile {
  /** Size of the picture, before it is turned, pixels; undefined where the file doesn't say it. */
  size: Size | undefined;
  orientation: Orientation;
  /** Whether a directory says that it has what a sensor saw. Canon's don't say it. */
  hasSensor: boolean;
  /** The largest preview that shows the whole picture, a JPEG. */
  preview: Uint8Array | undefined;
}

/** Tags of TIFF 6.0, TIFF/EP (ISO 12234-2), EXIF 2.32 and DNG 1.6. */
const TAG = {
  width: 256,
  height: 257,
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  orientation: 274,
  stripByteCounts: 279,
  subDirectories: 330,
  jpegOffset: 513,
  jpegLength: 514,
  exif: 34665,
  exifWidth: 40962,
  exifHeight: 40963,
  makerNote: 37500,
  /** In Nikon's MakerNote. */
  nikonPreview: 17,
  defaultCropSize: 50720,
} as const;

/** Values of `photometric` for what a sensor saw: a colour filter array, and linear raw. */
const SENSOR = [32803, 34892];
/** Values of `compression` for JPEG: the old way, and today's. */
const JPEG = [6, 7];

/** Two shapes that differ by no more are of the same picture: previews are rounded and cropped. */
const SAME_SHAPE = 0.02;

export function readRaw(bytes: Uint8Array): RawFile {
  const main = readTiff(bytes);
  const all = main.flatMap((directory) => [directory, ...directory.children(TAG.subDirectories)]);
  const exif = main[0]?.children(TAG.exif)[0];
  const previews = all.flatMap((directory) => previewsOf(directory, bytes))
    .concat(nikonPreviews(exif))
    .toSorted((a, b) => area(b) - area(a));
  const size = croppedSize(all) ?? sizeBy(exif, TAG.exifWidth, TAG.exifHeight) ??
    sensorSize(all) ?? previews[0];
  return {
    hasSensor: sensorSize(all) !== undefined,
    size: size && { width: size.width, height: size.height },
    orientation: orientationOf(main[0]),
    preview: previews.find((preview) => size && isOfShape(preview, size))?.jpeg,
  };
}

/** It holds for the previews as well: cameras write them as the sensor saw. */
function orientationOf(directory: TiffDirectory | undefined): Orientation {
  const orientation = directory?.number(TAG.orientation) ?? 1;
  return orientation >= 1 && orientation <= 8 ? orientation as Orientation : Orientation.TopLeft;
}

/** The JPEGs of one directory that a decoder of pictures can read. */
function previewsOf(directory: TiffDirectory, bytes: Uint8Array): (Size & { jpeg: Uint8Array })[] {
  const strips = directory.numbers(TAG.stripOffsets);
  const places = [
    [directory.number(TAG.jpegOffset), directory.number(TAG.jpegLength)],
    JPEG.includes(directory.number(TAG.compression) ?? 0) && strips.length === 1
      ? [strips[0], directory.number(TAG.stripByteCounts)]
      : [],
  ];
  return places.flatMap(([at, length]) => {
    if (at === undefined || length === undefined) return [];
    const jpeg = bytes.subarray(at, at + length);
    if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) return [];
    const { frame } = readJpegMarkers(jpeg, 0);
    if (!frame?.isDct || frame.precision !== 8) return [];
    return [{ jpeg, width: frame.width, height: frame.height }];
  });
}

/** "Nikon", NUL, and the version of what follows: a TIFF, which counts its places from its own beginning. */
const NIKON_MARK = [0x4e, 0x69, 0x6b, 0x6f, 0x6e, 0];
const NIKON_TIFF_AT = 10;

/** Some of Nikon's cameras keep their only large preview where EXIF leaves room for the maker. */
function nikonPreviews(exif: TiffDirectory | undefined): (Size & { jpeg: Uint8Array })[] {
  const note = exif?.from(TAG.makerNote);
  if (note === undefined || NIKON_MARK.some((byte, i) => note[i] !== byte)) return [];
  const tiff = note.subarray(NIKON_TIFF_AT);
  return (readTiff(tiff)[0]?.children(TAG.nikonPreview) ?? [])
    .flatMap((directory) => previewsOf(directory, tiff));
}

/** The size in which the camera says that the picture is to be shown. */
function croppedSize(all: TiffDirectory[]): Size | undefined {
  for (const directory of all) {
    const [width, height] = directory.numbers(TAG.defaultCropSize).map(Math.round);
    const size = sized(width, height);
    if (size) return size;
  }
  return undefined;
}

/** The sensor's size, its rim included. */
function sensorSize(all: TiffDirectory[]): Size | undefined {
  return all.filter((directory) => SENSOR.includes(directory.number(TAG.photometric) ?? 0))
    .map((directory) => sizeBy(directory, TAG.width, TAG.height))
    .filter((size) => size !== undefined)
    .toSorted((a, b) => area(b) - area(a))[0];
}

function sizeBy(
  directory: TiffDirectory | undefined,
  width: number,
  height: number,
): Size | undefined {
  return sized(directory?.number(width), directory?.number(height));
}

function sized(width: number | undefined, height: number | undefined): Size | undefined {
  return width !== undefined && height !== undefined && width >= 1 && height >= 1
    ? { width, height }
    : undefined;
}

function isOfShape(preview: Size, { width, height }: Size): boolean {
  const ratio = preview.width * height / (preview.height * width);
  return Math.abs(ratio - 1) <= SAME_SHAPE;
}

function area({ width, height }: Size): number {
  return width * height;
}
