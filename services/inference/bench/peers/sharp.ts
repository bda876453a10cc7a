/**
 * A contender: native sharp, from the bytes of a picture to the numbers that CLIP's tower takes.
 *
 * @module
 */
import sharp from "sharp";
import { compete, contenderArguments, readPictures, stopwatch, workFor } from "../contender.ts";

const SIDE = 224;
const MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
const DEVIATION = [0.26862954, 0.26130258, 0.27577711] as const;

const pictures = await readPictures(contenderArguments<{ pictures: string }>().pictures);

async function tensorOf(file: Uint8Array): Promise<Float32Array> {
  const rgb = await sharp(file).autoOrient().resize(SIDE, SIDE, { fit: "cover", kernel: "cubic" })
    .removeAlpha().toColourspace("srgb").raw().toBuffer();
  const planes = new Float32Array(3 * SIDE * SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = rgb[i * 3 + channel]! / 255;
      planes[channel * SIDE * SIDE + i] = (value - MEAN[channel]!) / DEVIATION[channel]!;
    }
  }
  return planes;
}

await compete((seconds) =>
  workFor(seconds, async (i) => {
    const lap = stopwatch();
    await tensorOf(pictures[i % pictures.length]!);
    return { decode: lap() };
  })
);
