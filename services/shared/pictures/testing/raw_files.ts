/**
 * Raw files as cameras build them, around a JPEG that is their preview: the layouts of DNG, CR2, NEF
 * and ARW, with a sensor's data that nobody could develop.
 *
 * @module
 */
import { craftMarkedTiff, craftTiff, type TiffEntries } from "./crafted_tiff.ts";

interface RawPicture {
  /** Size of the picture itself, before it is turned, pixels. */
  width: number;
  height: number;
  preview: Uint8Array;
  /** EXIF's number. */
  orientation?: number;
}

const sensorData = new Uint8Array(64);

/** Tags of TIFF 6.0 and EXIF 2.32. */
const size = (width: number, height: number): TiffEntries => ({
  256: { longs: [width] },
  257: { longs: [height] },
});
const jpegStrip = (jpeg: Uint8Array): TiffEntries => ({
  259: { shorts: [6] },
  273: { bytesAt: jpeg },
  279: { longs: [jpeg.length] },
});
const jpegInterchange = (jpeg: Uint8Array): TiffEntries => ({
  259: { shorts: [6] },
  513: { bytesAt: jpeg },
  514: { longs: [jpeg.length] },
});
/** A colour filter array, of which nothing is there but its place. */
const sensor = (width: number, height: number): TiffEntries => ({
  ...size(width, height),
  254: { longs: [0] },
  258: { shorts: [14] },
  259: { shorts: [7] },
  262: { shorts: [32803] },
  273: { bytesAt: sensorData },
  277: { shorts: [1] },
  279: { longs: [sensorData.length] },
});
const camera = (make: string, orientation = 1): TiffEntries => ({
  271: { text: make },
  272: { text: "Model" },
  274: { shorts: [orientation] },
});
const exif = ({ width, height }: RawPicture, more: TiffEntries = {}): TiffEntries => ({
  34665: {
    directories: [{
      ...more,
      36867: { text: "2026:02:03 04:05:06" },
      40962: { longs: [width] },
      40963: { longs: [height] },
    }],
  },
});

/** A small picture comes first, then the sensor's with its rim, then the preview in a directory of its own. */
export function craftDng(raw: RawPicture): Uint8Array<ArrayBuffer> {
  const { width, height, preview, orientation } = raw;
  return craftTiff({
    ...camera("Maker", orientation),
    ...size(16, 12),
    254: { longs: [1] },
    258: { shorts: [8, 8, 8] },
    259: { shorts: [1] },
    262: { shorts: [2] },
    273: { bytesAt: new Uint8Array(16 * 12 * 3) },
    277: { shorts: [3] },
    278: { longs: [12] },
    279: { longs: [16 * 12 * 3] },
    330: {
      directories: [
        { ...sensor(width + 32, height + 24), 50720: { longs: [width, height] } },
        { ...jpegStrip(preview), 254: { longs: [1] }, 259: { shorts: [7] } },
      ],
    },
    36867: { text: "2026:02:03 04:05:06" },
    50706: { longs: [0x00000401] },
  });
}

/** The preview is the first directory; the fourth has the sensor's data, by the lossless kind of JPEG. */
export function craftCr2(raw: RawPicture): Uint8Array<ArrayBuffer> {
  const lossless = new Uint8Array([0xff, 0xd8, 0xff, 0xc3, 0, 11, 14, 0, 9, 0, 9, 1, 1, 17, 0]);
  return craftMarkedTiff(
    [0x43, 0x52, 2, 0, 0, 0, 0, 0],
    { ...camera("Canon", raw.orientation), ...exif(raw), ...jpegStrip(raw.preview) },
    { 513: { bytesAt: new Uint8Array([0xff, 0xd8, 0xff, 0xd9]) }, 514: { longs: [4] } },
    { ...size(30, 20), 259: { shorts: [1] } },
    jpegStrip(lossless),
  );
}

/** The preview stands in a directory of its own, beside the sensor's. */
export function craftNef(raw: RawPicture): Uint8Array<ArrayBuffer> {
  return nef(raw, [jpegInterchange(raw.preview)], {});
}

/** The preview stands in what EXIF keeps for the maker of the camera, and there alone. */
export function craftOldNef(raw: RawPicture): Uint8Array<ArrayBuffer> {
  const tiff = craftTiff({ 17: { directories: [jpegInterchange(raw.preview)] } });
  const mark = [...new TextEncoder().encode("Nikon\0"), 2, 16, 0, 0];
  return nef(raw, [], { 37500: { undefined: new Uint8Array([...mark, ...tiff]) } });
}

function nef(
  raw: RawPicture,
  previews: TiffEntries[],
  moreExif: TiffEntries,
): Uint8Array<ArrayBuffer> {
  const entries: TiffEntries = {
    ...camera("NIKON CORPORATION", raw.orientation),
    ...size(16, 12),
    254: { longs: [1] },
    259: { shorts: [1] },
    330: { directories: [...previews, sensor(raw.width + 16, raw.height + 8)] },
    ...exif(raw, moreExif),
  };
  // It is known by its 28 entries.
  const more = Array.from({ length: 28 - Object.keys(entries).length }, (_, i) => 50000 + i);
  return craftTiff({
    ...entries,
    ...Object.fromEntries(more.map((tag) => [tag, { shorts: [0] }])),
  });
}

/** The preview stands in the first directory, the sensor's data in one of its own. */
export function craftArw(raw: RawPicture): Uint8Array<ArrayBuffer> {
  return craftTiff({
    ...camera("SONY", raw.orientation),
    ...jpegInterchange(raw.preview),
    330: { directories: [sensor(raw.width + 48, raw.height + 24)] },
    ...exif(raw),
    50341: { text: "PrintIM" },
  });
}
