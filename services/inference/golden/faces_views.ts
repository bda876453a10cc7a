/**
 * What face networks are shown for their golden values: made of astronaut.png in whole numbers, so
 * that no resampling has a say in them.
 *
 * @module
 */
import { decode } from "../picture/decode.ts";

/** height × width × 3 bytes, RGB. */
export interface Pixels {
  rgb: Uint8Array;
  width: number;
  height: number;
}

const BACKGROUND = 112;

/** One face, and six of three sizes, some mirrored, in a frame that the network takes as it is. */
export async function goldenViews(
  net: { width: number; height: number },
): Promise<Record<"portrait" | "group", Pixels>> {
  const astronaut = await readAstronaut();
  // Laid out for a frame of 640 × 480, of which UltraFace's is the half.
  const by = 640 / net.width;
  const [large, middle, small] = [2, 4, 8].map((shrunk) => shrink(astronaut, shrunk * by));
  const place = (pixels: Pixels, x: number, y: number) => ({ pixels, x: x / by, y: y / by });
  const portrait = shrink(astronaut, by);
  return {
    portrait: sheet(portrait.width, Math.min(portrait.height, net.height), [
      place(portrait, 0, 0),
    ]),
    group: sheet(net.width, net.height, [
      place(large!, 20, 0),
      place(mirror(large!), 330, 30),
      place(middle!, 40, 300),
      place(mirror(middle!), 220, 320),
      place(small!, 420, 350),
      place(mirror(small!), 520, 320),
    ]),
  };
}

async function readAstronaut(): Promise<Pixels> {
  const file = new URL("../../../clients/images/astronaut.png", import.meta.url);
  using picture = await decode(await Deno.readFile(file), 1e6);
  const { width, height } = picture;
  return { rgb: picture.sample({ x: 0, y: 0, width, height }, width, height), width, height };
}

/** Each pixel is the rounded mean of a square of `by` × `by`. */
function shrink(pixels: Pixels, by: number): Pixels {
  return draw(pixels.width / by, pixels.height / by, (x, y, channel) => {
    let sum = 0;
    for (let row = 0; row < by; row++) {
      for (let column = 0; column < by; column++) {
        sum += valueAt(pixels, x * by + column, y * by + row, channel);
      }
    }
    return Math.round(sum / (by * by));
  });
}

function mirror(pixels: Pixels): Pixels {
  const { width, height } = pixels;
  return draw(width, height, (x, y, channel) => valueAt(pixels, width - 1 - x, y, channel));
}

function sheet(
  width: number,
  height: number,
  places: { pixels: Pixels; x: number; y: number }[],
): Pixels {
  return draw(width, height, (x, y, channel) => {
    const on = places.find((place) =>
      x >= place.x && x < place.x + place.pixels.width &&
      y >= place.y && y < place.y + place.pixels.height
    );
    return on === undefined ? BACKGROUND : valueAt(on.pixels, x - on.x, y - on.y, channel);
  });
}

function draw(
  width: number,
  height: number,
  value: (x: number, y: number, channel: number) => number,
): Pixels {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgb.length; i++) {
    const pixel = Math.floor(i / 3);
    rgb[i] = value(pixel % width, Math.floor(pixel / width), i % 3);
  }
  return { rgb, width, height };
}

function valueAt({ rgb, width }: Pixels, x: number, y: number, channel: number): number {
  return rgb[(y * width + x) * 3 + channel]!;
}
