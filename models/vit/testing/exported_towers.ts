/**
 * The small towers that torch exported (export_towers.py), with what torch makes of two pictures.
 *
 * @module
 */
import type { ImageTowerShape } from "../tower.ts";
import golden from "./towers/golden.json" with { type: "json" };

type GoldenShape = Omit<ImageTowerShape, "tokens" | "epsilon" | "activation"> & {
  activation: string;
};

interface Golden {
  shape: GoldenShape;
  /** One picture's, or two's. */
  embeddings: number[][];
}

export const EXPORTED_TOWERS: Readonly<Record<string, Golden>> = Object.fromEntries(
  Object.entries(golden).map(([name, { shape: { image, ...shape }, embeddings }]) => [
    name,
    { shape: { imageSize: image, ...shape }, embeddings },
  ]),
);

/** @returns the ONNX file, a new copy each time, since a reader may change it */
export function exportedTower(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(`towers/${name}.onnx`, import.meta.url));
}

/** The pictures that torch saw: [3][side][side] each. */
export function goldenPictures(count: number, side: number): Float32Array[] {
  const length = 3 * side * side;
  return Array.from(
    { length: count },
    (_, n) => Float32Array.from({ length }, (_, i) => (n * length + i) * 37 % 101 / 64 - 0.75),
  );
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    // NaN is no small difference.
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}
