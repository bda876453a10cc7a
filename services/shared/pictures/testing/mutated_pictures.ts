/**
 * Pictures that are damaged at random, the same ones each time.
 *
 * @module
 */
import {
  type IMagickImage,
  MagickColor,
  type MagickFormat,
  MagickImage,
  NoiseType,
} from "@imagemagick/magick-wasm";
import { loadMagick } from "../magick.ts";

/** Marsaglia's xorshift, 32 bits. @returns whole numbers below a limit */
export function randomOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** A small picture of noise. */
export async function makeBase(format: MagickFormat): Promise<Uint8Array<ArrayBuffer>> {
  await loadMagick();
  const image: IMagickImage = MagickImage.create(new MagickColor("#c04020"), 96, 64);
  try {
    image.addNoise(NoiseType.Gaussian);
    return image.write(format, (bytes) => bytes.slice());
  } finally {
    image.dispose();
  }
}

/** Some bytes changed, more often near the beginning, where headers are; a part doubled, cut out or cut off. */
export function mutate(
  base: Uint8Array<ArrayBuffer>,
  random: (limit: number) => number,
): Uint8Array<ArrayBuffer> {
  const bytes = base.slice();
  for (let left = 1 + random(8); left > 0; left--) {
    const at = random(2) === 0 ? random(Math.min(200, bytes.length)) : random(bytes.length);
    bytes[at] = [0, 0xff, 0x7f, random(256), bytes[at]! ^ (1 << random(8))][random(5)]!;
  }
  const [from, to] = [random(bytes.length), random(bytes.length)].toSorted((a, b) => a - b);
  const part = [...bytes.subarray(from, to)];
  switch (random(6)) {
    case 0:
      return bytes.slice(0, 16 + random(bytes.length));
    case 1:
      return new Uint8Array([...bytes.subarray(0, to), ...part, ...bytes.subarray(to)]);
    case 2:
      return new Uint8Array([...bytes.subarray(0, from), ...bytes.subarray(to)]);
    default:
      return bytes;
  }
}
