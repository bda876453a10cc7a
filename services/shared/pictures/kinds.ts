/**
 * What a file is by its bytes, and which pictures can be opened: for both services the same.
 *
 * @module
 */
import { MagickFormat } from "@imagemagick/magick-wasm";
import { fileTypeFromBuffer, fileTypeFromFile, type FileTypeResult } from "file-type";

export interface FileKind {
  mime_type: string;
  /** Without the dot. */
  extension: string;
}

/** How a picture is opened: as one of ImageMagick's formats, or by the preview in a camera's raw file. */
export type Decoder = MagickFormat | "preview";

/**
 * The kinds of pictures that are opened. ImageMagick knows many more, among them ones that read other
 * files or run programs of their own; the format is therefore named to it and never left to its guess.
 */
export const DECODERS: Readonly<Record<string, Decoder>> = {
  "image/jpeg": MagickFormat.Jpeg,
  "image/png": MagickFormat.Png,
  "image/apng": MagickFormat.Png,
  "image/webp": MagickFormat.WebP,
  "image/gif": MagickFormat.Gif,
  "image/avif": MagickFormat.Avif,
  "image/heic": MagickFormat.Heic,
  "image/heif": MagickFormat.Heic,
  "image/heic-sequence": MagickFormat.Heic,
  "image/heif-sequence": MagickFormat.Heic,
  "image/tiff": MagickFormat.Tiff,
  "image/bmp": MagickFormat.Bmp,
  "image/jxl": MagickFormat.Jxl,
  "image/jp2": MagickFormat.Jp2,
  "image/jpx": MagickFormat.Jp2,
  "image/j2c": MagickFormat.J2k,
  "image/vnd.adobe.photoshop": MagickFormat.Psd,
  "image/x-icon": MagickFormat.Ico,
  "image/x-adobe-dng": "preview",
  "image/x-canon-cr2": "preview",
  "image/x-nikon-nef": "preview",
  "image/x-sony-arw": "preview",
};

/** Their names for messages. */
export const DECODABLE =
  "JPEG, PNG, WebP, GIF, AVIF, HEIC, TIFF, BMP, JPEG XL, JPEG 2000, PSD, ICO, " +
  "and the previews in DNG, CR2, NEF and ARW";

/** Brands of ISO/IEC 23008-12 and AVIF, the most telling first: what each makes of a file that has it. */
const PICTURE_BRANDS: readonly [brand: string, mimeType: string, extension: string][] = [
  ["avif", "image/avif", "avif"],
  ["avis", "image/avif", "avif"],
  ["heic", "image/heic", "heic"],
  ["heix", "image/heic", "heic"],
  ["hevc", "image/heic-sequence", "heic"],
  ["hevx", "image/heic-sequence", "heic"],
  ["mif1", "image/heif", "heic"],
  ["msf1", "image/heif-sequence", "heic"],
];

/** Enough for the brands of any file that is met. */
const START_BYTES = 512;

/** @returns undefined of bytes whose kind can't be told */
export async function kindOfBytes(bytes: Uint8Array): Promise<FileKind | undefined> {
  return kindOf(await fileTypeFromBuffer(bytes).catch(() => undefined), bytes);
}

/** The same of a file, of which no more is read than is needed. */
export async function kindOfFile(path: string): Promise<FileKind | undefined> {
  const start = new Uint8Array(START_BYTES);
  using file = await Deno.open(path);
  const length = await file.read(start) ?? 0;
  return kindOf(await fileTypeFromFile(path), start.subarray(0, length));
}

function kindOf(found: FileTypeResult | undefined, start: Uint8Array): FileKind | undefined {
  // A picture may name a brand first that only its maker knows, and then those by which it is one.
  if (found === undefined || found.mime === "video/mp4") {
    const brands = compatibleBrands(start);
    const picture = PICTURE_BRANDS.find(([brand]) => brands.includes(brand));
    if (picture !== undefined) return { mime_type: picture[1], extension: picture[2] };
  }
  // Some come with parameters: "audio/ogg; codecs=opus".
  return found && { mime_type: found.mime.replace(/;.*/, ""), extension: found.ext };
}

/** Brands of the box `ftyp` (ISO/IEC 14496-12, 4.3), behind the first one and a number. */
function compatibleBrands(start: Uint8Array): string[] {
  const text = String.fromCharCode(...start.subarray(0, START_BYTES));
  if (text.slice(4, 8) !== "ftyp") return [];
  const size = new DataView(start.buffer, start.byteOffset).getUint32(0);
  return text.slice(16, size).match(/.{4}/gs) ?? [];
}
