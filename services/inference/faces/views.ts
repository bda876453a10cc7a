import type { BoundingBox } from "@fovea/contract";
import type { Region } from "../picture/decode.ts";

/**
 * [note: whole and tiles] A network of fixed input size sees a large picture shrunk, and small faces
 * vanish. So a picture that would be shrunk by more than {@link MAX_SHRINK} is looked at twice: whole,
 * for the large faces, and in tiles that overlap, for the small ones. A face that a tile's edge cuts
 * is left to the neighbour that has it whole, and one too large for that to the look at the whole.
 */
export interface View {
  /** Where in the picture, its pixels. */
  region: Region;
  /** Size at which the network sees it, at most the network's own. */
  width: number;
  height: number;
  whole: boolean;
}

/** YuNet and UltraFace both know faces from about 10 pixels on: tiles keep them that large down to 30. */
export const MAX_SHRINK = 3;

/** Part of a tile's width and height that it shares with its neighbour, and so the largest face a tile answers for. */
const SHARED = 0.2;

/** The views of a picture for a network that takes `net.width` × `net.height` pixels, the whole first. */
export function viewsOf(
  picture: { width: number; height: number },
  net: { width: number; height: number },
): View[] {
  const everything = { x: 0, y: 0, width: picture.width, height: picture.height };
  const views = [{ ...fit(everything, net), whole: true }];
  if (Math.max(picture.width / net.width, picture.height / net.height) <= MAX_SHRINK) return views;
  const columns = starts(picture.width, net.width * MAX_SHRINK);
  const rows = starts(picture.height, net.height * MAX_SHRINK);
  const width = Math.min(picture.width, net.width * MAX_SHRINK);
  const height = Math.min(picture.height, net.height * MAX_SHRINK);
  for (const y of rows) {
    for (const x of columns) views.push({ ...fit({ x, y, width, height }, net), whole: false });
  }
  return views;
}

/** Whether a tile answers for this box (the picture's pixels): seen whole, and small enough to be. */
export function answersFor(
  view: View,
  box: BoundingBox,
  picture: { width: number; height: number },
): boolean {
  if (view.whole) return true;
  const { region } = view;
  if (box.width > SHARED * region.width || box.height > SHARED * region.height) return false;
  // A border of the tile that is the picture's own cuts nothing that could be seen elsewhere.
  const cut = (region.x > 0 && box.x <= region.x) ||
    (region.y > 0 && box.y <= region.y) ||
    (region.x + region.width < picture.width && box.x + box.width >= region.x + region.width) ||
    (region.y + region.height < picture.height && box.y + box.height >= region.y + region.height);
  return !cut;
}

/** The region at the largest size that fits, never enlarged, its proportions kept. */
function fit(
  region: Region,
  net: { width: number; height: number },
): Pick<View, "region" | "width" | "height"> {
  const scale = Math.min(1, net.width / region.width, net.height / region.height);
  return {
    region,
    width: Math.max(1, Math.round(region.width * scale)),
    height: Math.max(1, Math.round(region.height * scale)),
  };
}

/** Where tiles of `size` begin on a side of `length`: evenly spread, sharing at least {@link SHARED}. */
function starts(length: number, size: number): number[] {
  if (length <= size) return [0];
  const steps = Math.ceil((length - size) / (size * (1 - SHARED)));
  return Array.from({ length: steps + 1 }, (_, i) => Math.round(i * (length - size) / steps));
}
