/**
 * Pictures to calibrate int8 with where there are no others: eight kinds, two alike of each, so that
 * every picture has one that is nearest to it.
 *
 * @module
 */

/** A value of −1…1 at a point; x and y are of 0…1, channel of 0…2. */
type Texture = (x: number, y: number, channel: number) => number;

/** Of how many numbers a normalised picture's brightness ranges: CLIP's go from −1.8 to 2.2. */
const AMPLITUDE = 1.8;

/** @returns normalised pictures [3][size][size], the same on every machine */
export function calibrationPictures(size: number): Float32Array[] {
  return [0, 1].flatMap((variant) => textures(variant).map((texture) => draw(texture, size)));
}

/** @param variant 0 or 1: a little different */
function textures(variant: number): Texture[] {
  const common = noiseOf(1);
  const own = noiseOf(2 + variant);
  const noise = () => 0.8 * common() + 0.2 * own();
  const wave = (phase: number) => triangle(phase + variant * 0.05);
  return [
    (x) => 2 * x - 1 + variant * 0.1, // grows brighter to the right
    (_x, y, channel) => (channel === 2 ? 1 : -1) * (2 * y - 1 - variant * 0.1), // a sky: blue above
    (x, y) => wave(8 * (x + y)), // diagonal stripes
    (x, y) => Math.sign(wave(3 * x) * wave(3 * y)), // a chequerboard
    (x, y, channel) => wave(4 * ((x - 0.5) ** 2 + (y - 0.5) ** 2) + channel / 3), // rings in colours
    () => noise(), // grain
    (x, y) => (x - 0.4) ** 2 + (y - 0.6) ** 2 < 0.06 + variant * 0.01 ? 0.9 : -0.7, // a disc
    (x, y, channel) => wave(24 * x * (channel + 1)) * (1 - y) + 0.2 * noise(), // fine and fading
  ];
}

function draw(texture: Texture, size: number): Float32Array {
  const pixels = new Float32Array(3 * size * size);
  let at = 0;
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        pixels[at++] = AMPLITUDE * texture(x / size, y / size, channel);
      }
    }
  }
  return pixels;
}

/** A wave from −1 to 1 and back, of period 1: unlike a sine, the same to the bit everywhere. */
function triangle(phase: number): number {
  return 4 * Math.abs(phase - Math.floor(phase) - 0.5) - 1;
}

/** Numbers of −1…1 from a linear congruential generator (Press et al. 2007, section 7.1). */
function noiseOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}
