/**
 * The part of a picture's file in which its header stands: a file is too large to be read whole for
 * the sake of a few numbers.
 *
 * @module
 */

/** Up to this, a file is read whole. Honest headers are far smaller, ICC profiles and previews included. */
const WHOLE_BYTES = 8 * 1024 * 1024;

/** How much is read of either end of a larger one, and where a TIFF's first directory is. */
const END_BYTES = 2 * 1024 * 1024;
const DIRECTORY_BYTES = 1024 * 1024;

/** Formats whose header may stand at the end, after the pixels, at a place counted from the start. */
const MAY_END_WITH_HEADER = /^image\/(tiff|webp|heic|heif|avif)/;

/**
 * @param mimeType what the file's bytes say that it is
 * @returns the file from its start. What was not read, between the ends of a large file, is zero: it
 *   takes up addresses, and no memory, since it is never touched
 */
export async function readHeader(
  path: string,
  mimeType: string,
): Promise<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  if (size <= WHOLE_BYTES) return await fill(file, new Uint8Array(size), 0);
  if (!MAY_END_WITH_HEADER.test(mimeType)) {
    return await fill(file, new Uint8Array(END_BYTES), 0);
  }
  const bytes = new Uint8Array(size);
  await fill(file, bytes.subarray(0, END_BYTES), 0);
  await fill(file, bytes.subarray(size - END_BYTES), size - END_BYTES);
  if (mimeType === "image/tiff") {
    const { start, end } = firstDirectory(bytes);
    await fill(file, bytes.subarray(start, end), start);
  }
  return bytes;
}

/** Where a TIFF's first directory is (TIFF 6.0, section 2; BigTIFF counts in 64 bits), at most. */
export function firstDirectory(bytes: Uint8Array<ArrayBuffer>): { start: number; end: number } {
  const view = new DataView(bytes.buffer);
  const isLittleEndian = bytes[0] === 0x49;
  const isBig = view.getUint16(2, isLittleEndian) === 43;
  const start = isBig
    ? Number(view.getBigUint64(8, isLittleEndian))
    : view.getUint32(4, isLittleEndian);
  return { start, end: start + DIRECTORY_BYTES };
}

/** Reads into `bytes` from a place in the file on; a file that is shorter leaves the rest as it is. */
async function fill(
  file: Deno.FsFile,
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
): Promise<Uint8Array<ArrayBuffer>> {
  await file.seek(at, Deno.SeekMode.Start);
  for (let filled = 0; filled < bytes.length;) {
    const read = await file.read(bytes.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return bytes;
}
