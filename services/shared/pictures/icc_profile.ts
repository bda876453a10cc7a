/**
 * Colour profiles that ImageMagick can convert to and from; it brings none of its own. They are
 * written here, and not kept as a file, since the few lines show where each number comes from, and
 * tests write profiles of other screens by the same lines.
 *
 * @module
 */

/** A colour of the profile connection space: CIE XYZ, adapted to the white point D50. */
export type Xyz = readonly [x: number, y: number, z: number];

const D50: Xyz = [0.9642, 1, 0.8249];

/** Parameters of sRGB's transfer curve, in the order of ICC's curve type 3 (IEC 61966-2-1). */
const SRGB_CURVE = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045];

/**
 * A display profile: three primaries, and sRGB's transfer curve for each of them (ICC.1:2010, 8.3).
 *
 * @returns the profile as files embed it
 */
export function displayProfile(primaries: { red: Xyz; green: Xyz; blue: Xyz }): Uint8Array {
  const curve = [...ascii("para"), ...u32(0), ...u16(3), ...u16(0), ...SRGB_CURVE.flatMap(fixed)];
  const tags: [name: string, data: number[]][] = [
    ["wtpt", xyz(D50)],
    ["rXYZ", xyz(primaries.red)],
    ["gXYZ", xyz(primaries.green)],
    ["bXYZ", xyz(primaries.blue)],
    ["rTRC", curve],
    ["gTRC", curve],
    ["bTRC", curve],
  ];
  const table = u32(tags.length);
  const data: number[] = [];
  const dataAt = HEADER + 4 + 12 * tags.length;
  for (const [name, bytes] of tags) {
    table.push(...ascii(name), ...u32(dataAt + data.length), ...u32(bytes.length));
    data.push(...bytes);
  }
  return new Uint8Array([...header(dataAt + data.length), ...table, ...data]);
}

const HEADER = 128;

function header(size: number): number[] {
  const bytes = new Array<number>(HEADER).fill(0);
  const put = (at: number, part: number[]) => bytes.splice(at, part.length, ...part);
  put(0, u32(size));
  put(8, u32(0x0400_0000));
  put(12, ascii("mntrRGB XYZ "));
  put(36, ascii("acsp"));
  put(68, D50.flatMap(fixed));
  return bytes;
}

function xyz(colour: Xyz): number[] {
  return [...ascii("XYZ "), ...u32(0), ...colour.flatMap(fixed)];
}

/** A fraction as ICC writes it: 16 bits before the point, 16 after it. */
function fixed(value: number): number[] {
  return u32(Math.round(value * 65536));
}

function u32(value: number): number[] {
  return [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
}

function u16(value: number): number[] {
  return [value >>> 8, value & 255];
}

function ascii(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

/** sRGB (IEC 61966-2-1), its primaries adapted from D65 by Bradford's matrix. */
export const SRGB = displayProfile({
  red: [0.4360747, 0.2225045, 0.0139322],
  green: [0.3850649, 0.7168786, 0.0971045],
  blue: [0.1430804, 0.0606169, 0.7141733],
});
