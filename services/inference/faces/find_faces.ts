import type { BoundingBox, Face, Point } from "@fovea/contract";
import type { Picture } from "../picture/decode.ts";
import type { Detection, FaceNet } from "./face_net.ts";
import { suppressOverlaps } from "./suppress_overlaps.ts";
import { answersFor, type View, viewsOf } from "./views.ts";

/** A view with its pixels: height × width × 3 bytes, RGB. */
export interface ViewPixels {
  view: View;
  rgb: Uint8Array;
}

/** What a network has to be shown of a picture. See [note: whole and tiles]. */
export function cutViews(picture: Picture, net: FaceNet): ViewPixels[] {
  return viewsOf(picture, net).map((view) => ({
    view,
    rgb: picture.sample(view.region, view.width, view.height),
  }));
}

/** Faces of a picture, largest first, in its pixels and inside its borders. */
export async function findFaces(
  net: FaceNet,
  views: readonly ViewPixels[],
  picture: { width: number; height: number },
): Promise<Face[]> {
  const found: Detection[] = [];
  for (const { view, rgb } of views) {
    const seen = (await net.detect(rgb, view.width, view.height))
      .map((detection) => toPicture(detection, view))
      .filter((detection) => answersFor(view, detection.bbox, picture));
    // An eye or a nose of a large face can look like a face to a tile.
    found.push(...seen.filter((one) => view.whole || !found.some((other) => isPart(one, other))));
  }
  return suppressOverlaps(found, net.maxOverlap)
    .map(({ bbox, landmarks, confidence }) => ({
      bbox: inside(bbox, picture),
      landmarks: landmarks?.map((point) => pointInside(point, picture)) ?? null,
      confidence,
    }))
    .filter(({ bbox }) => bbox.width > 0 && bbox.height > 0)
    .sort((a, b) => area(b.bbox) - area(a.bbox))
    .map((face, index) => ({ face_index: index, ...face }));
}

function toPicture({ bbox, landmarks, confidence }: Detection, view: View): Detection {
  const scaleX = view.region.width / view.width;
  const scaleY = view.region.height / view.height;
  return {
    bbox: {
      x: view.region.x + bbox.x * scaleX,
      y: view.region.y + bbox.y * scaleY,
      width: bbox.width * scaleX,
      height: bbox.height * scaleY,
    },
    landmarks: landmarks?.map(([x, y]): Point => [
      view.region.x + x * scaleX,
      view.region.y + y * scaleY,
    ]) ?? null,
    confidence,
  };
}

function isPart({ bbox: small }: Detection, { bbox: large }: Detection): boolean {
  if (area(large) < 4 * area(small)) return false;
  const width = Math.min(small.x + small.width, large.x + large.width) - Math.max(small.x, large.x);
  const height = Math.min(small.y + small.height, large.y + large.height) -
    Math.max(small.y, large.y);
  return width > 0 && height > 0 && width * height > 0.7 * area(small);
}

function inside(box: BoundingBox, picture: { width: number; height: number }): BoundingBox {
  const [x, y] = pointInside([box.x, box.y], picture);
  const [right, bottom] = pointInside([box.x + box.width, box.y + box.height], picture);
  return { x, y, width: right - x, height: bottom - y };
}

function pointInside([x, y]: Point, picture: { width: number; height: number }): Point {
  return [Math.min(picture.width, Math.max(0, x)), Math.min(picture.height, Math.max(0, y))];
}

function area(box: BoundingBox): number {
  return box.width * box.height;
}
