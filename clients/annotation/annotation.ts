/**
 * Faces drawn on their picture: a box around each, dots on its landmarks, its number and the
 * confidence above it. Bright on dark throughout, so that it shows on any picture.
 *
 * @module
 */
import type { BoundingBox, Face, Point } from "@fovea/contract";
import { drawText, TEXT_ROWS, textColumns } from "./bitmap_font.ts";
import { type Picture, rectangle } from "./picture.ts";

/** Colours, 0xRRGGBBAA. */
export const BOX_COLOUR = 0xffd600ff;
export const LANDMARK_COLOUR = 0x00e5ffff;
const OUTLINE_COLOUR = 0x000000ff;

/** Shares of the picture's shorter side. */
const LINE_SHARE = 1 / 300;
const LETTER_SHARE = 1 / 170;

/** A line is no thicker than this share of the shorter side of the face it stands around. */
const LINE_SHARE_OF_FACE = 1 / 20;

/** Draws faces on a picture, in place. */
export function annotate(picture: Picture, faces: Face[]): void {
  // The largest face comes first: drawn last to first, no label hides under a smaller face's box.
  for (const face of faces.toReversed()) drawFace(picture, face);
}

function drawFace(picture: Picture, { face_index, bbox, landmarks, confidence }: Face): void {
  const shorter = Math.min(picture.width, picture.height);
  const line = atLeast1(
    Math.min(shorter * LINE_SHARE, Math.min(bbox.width, bbox.height) * LINE_SHARE_OF_FACE),
  );
  const outline = atLeast1(line / 2);
  const edges = edgesOf(bbox);

  drawFrame(picture, grown(edges, outline), line + 2 * outline, OUTLINE_COLOUR);
  drawFrame(picture, edges, line, BOX_COLOUR);
  for (const landmark of landmarks ?? []) {
    drawDot(picture, landmark, 2 * line + outline, OUTLINE_COLOUR);
    drawDot(picture, landmark, 2 * line, LANDMARK_COLOUR);
  }

  const text = `${face_index + 1}: ${confidence.toFixed(2)}`;
  const scale = atLeast1(Math.min(shorter * LETTER_SHARE, bbox.width / textColumns(text)));
  drawLabel(picture, text, grown(edges, outline), scale);
}

/** Whole pixels, those at right and bottom outside. */
interface Edges {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

function edgesOf({ x, y, width, height }: BoundingBox): Edges {
  return {
    left: Math.round(x),
    top: Math.round(y),
    right: Math.round(x + width),
    bottom: Math.round(y + height),
  };
}

function grown({ left, top, right, bottom }: Edges, by: number): Edges {
  return { left: left - by, top: top - by, right: right + by, bottom: bottom + by };
}

/** A frame inside the edges, touching them. */
function drawFrame(picture: Picture, edges: Edges, line: number, colour: number): void {
  const { left, top, right, bottom } = edges;
  fill(picture, { ...edges, bottom: top + line }, colour);
  fill(picture, { ...edges, top: bottom - line }, colour);
  fill(picture, { ...edges, right: left + line }, colour);
  fill(picture, { ...edges, left: right - line }, colour);
}

function drawDot(picture: Picture, [x, y]: Point, radius: number, colour: number): void {
  for (let row = Math.ceil(y - radius); row <= y + radius; row++) {
    const half = Math.sqrt(radius ** 2 - (row - y) ** 2);
    const left = Math.round(x - half);
    fill(picture, { left, top: row, right: Math.round(x + half) + 1, bottom: row + 1 }, colour);
  }
}

/** Above the box where there is room, else inside it. */
function drawLabel(picture: Picture, text: string, box: Edges, scale: number): void {
  const width = (textColumns(text) + 2) * scale;
  const height = (TEXT_ROWS + 2) * scale;
  const left = Math.max(0, Math.min(box.left, picture.width - width));
  const top = box.top >= height ? box.top - height : Math.max(0, box.top);
  fill(picture, { left, top, right: left + width, bottom: top + height }, OUTLINE_COLOUR);
  drawText(picture, text, { left: left + scale, top: top + scale, scale, colour: BOX_COLOUR });
}

function fill(picture: Picture, { left, top, right, bottom }: Edges, colour: number): void {
  if (right <= left || bottom <= top) return;
  picture.replace(rectangle(right - left, bottom - top, colour), left, top);
}

function atLeast1(pixels: number): number {
  return Math.max(1, Math.round(pixels));
}
