/**
 * From what a network sees in several views of a picture to the faces of the picture.
 *
 * @module
 */
import type { BoundingBox, Face, FaceDetectionOptions, Point } from "@fovea/contract";
import type { Picture } from "../picture/decode.ts";
import type { Detection, FaceNet } from "./face_net.ts";
import { detectAtHalfSize } from "./half_size.ts";
import { MAX_CANDIDATES_IN_VIEW, suppressOverlaps } from "./suppress_overlaps.ts";
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

/**
 * Faces of a picture, largest first, in its pixels and inside its borders.
 *
 * A face's confidence does not depend on the options: they only choose among the same faces.
 *
 * @param views what {@link cutViews} gave
 * @param options of more than `max_faces` the most confident are kept
 */
export async function findFaces(
  net: FaceNet,
  views: readonly ViewPixels[],
  picture: { width: number; height: number },
  { min_confidence = net.minConfidence, max_faces = Infinity }: FaceDetectionOptions = {},
): Promise<Face[]> {
  const found: Detection[] = [];
  for (const pixels of views) {
    for (const seen of await look(net, pixels, Math.min(min_confidence, net.minConfidence))) {
      const answers = seen.map((detection) => toPicture(detection, pixels.view))
        .filter((detection) => answersFor(pixels.view, detection.bbox, picture));
      const sure = found.filter((other) => isSure(other, net));
      const faces = suppressOverlaps(answers, net.maxOverlap, MAX_CANDIDATES_IN_VIEW)
        .filter((one) => !sure.some((other) => isPart(one, other)));
      found.push(...faces);
    }
  }
  return suppressOverlaps(found, net.maxOverlap)
    .filter(({ confidence }) => confidence >= min_confidence)
    .map(({ bbox, landmarks, confidence }) => ({
      bbox: inside(bbox, picture),
      landmarks: landmarks?.map((point) => pointInside(point, picture)) ?? null,
      confidence,
    }))
    .filter(({ bbox }) => bbox.width > 0 && bbox.height > 0)
    .slice(0, max_faces)
    .sort((a, b) => area(b.bbox) - area(a.bbox))
    .map((face, index) => ({ face_index: index, ...face }));
}

/**
 * [note: half the size] A network knows no face that is about as large as its own input, or larger
 * than what it is shown. So a picture in which it finds no face, or a very large one, is looked at
 * once more at half the size; what it finds there comes first.
 *
 * @returns what was found in each look, coarsest first, in the pixels of the view
 */
async function look(
  net: FaceNet,
  { view, rgb }: ViewPixels,
  minConfidence: number,
): Promise<Detection[][]> {
  const seen = await net.detect(rgb, view.width, view.height, minConfidence);
  const isLarge = ({ width, height }: { width: number; height: number }) =>
    width > net.width / 2 || height > net.height / 2;
  const sure = seen.filter((one) => isSure(one, net));
  const mayHaveLarge = view.whole && isLarge(view) &&
    (sure.length === 0 || sure.some(({ bbox }) => isLarge(bbox)));
  return mayHaveLarge
    ? [await detectAtHalfSize(net, rgb, view.width, view.height, minConfidence), seen]
    : [seen];
}

/** Whether a job that names no threshold would take it for a face. */
function isSure({ confidence }: Detection, net: FaceNet): boolean {
  return confidence >= net.minConfidence;
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

/** Whether it lies in one much larger: an eye or a nose can look like a face of its own. */
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
