/**
 * Makes the pictures of a comparison: photos side by side at their own size, so that they are as hard to
 * decode as a photo of their size is. Arguments: `{from, to, count, width, height}`.
 *
 * @module
 */
import sharp from "sharp";
import { contenderArguments } from "../contender.ts";

const { from, to, count, width, height } = contenderArguments<{
  from: string[];
  to: string;
  count: number;
  width: number;
  height: number;
}>();

const TILE = 400;
const photos = await Promise.all(
  from.map((path) => sharp(path).resize(TILE, TILE, { fit: "cover" }).removeAlpha().toBuffer()),
);
const columns = Math.ceil(width / TILE);
const rows = Math.ceil(height / TILE);
for (let picture = 0; picture < count; picture++) {
  const places = Array.from({ length: columns * rows }, (_, i) => ({
    input: photos[(i + picture) % photos.length]!,
    left: i % columns * TILE,
    top: Math.floor(i / columns) * TILE,
  }));
  const canvas = {
    width: columns * TILE,
    height: rows * TILE,
    channels: 3 as const,
    background: "#888",
  };
  const sheet = await sharp({ create: canvas }).composite(places).png({ compressionLevel: 0 })
    .toBuffer();
  await sharp(sheet).extract({ left: 0, top: 0, width, height }).jpeg({ quality: 92 })
    .toFile(`${to}/${picture}.jpg`);
}
