import type { BoundingBox } from "@fovea/contract";
import type { Picture } from "./picture.ts";

/** On each side, as a share of the box's width and height: so that it shows hair, chin and ears. */
const MARGIN = 0.25;

/** A face with a margin around it, as far as the picture goes. */
export function crop(picture: Picture, { x, y, width, height }: BoundingBox): Picture {
  const left = Math.max(0, Math.round(x - MARGIN * width));
  const top = Math.max(0, Math.round(y - MARGIN * height));
  const right = Math.min(picture.width, Math.round(x + (1 + MARGIN) * width));
  const bottom = Math.min(picture.height, Math.round(y + (1 + MARGIN) * height));
  return picture.cut("box", left, top, right - left, bottom - top);
}
