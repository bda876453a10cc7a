/**
 * A JPEG that says how it is to be turned, as those of cameras do. Its EXIF block has an orientation and
 * nothing else, and stands after the first marker.
 *
 * @param orientation 1…8
 */
export function orientedJpeg(
  jpeg: Uint8Array<ArrayBuffer>,
  orientation: number,
): Uint8Array<ArrayBuffer> {
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8];
  const directory = [0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
  const exif = [..."Exif\0\0"].map((character) => character.charCodeAt(0));
  const body = [...exif, ...tiff, ...directory];
  const segment = [0xff, 0xe1, 0, body.length + 2, ...body];
  return Uint8Array.from([...jpeg.subarray(0, 2), ...segment, ...jpeg.subarray(2)]);
}
