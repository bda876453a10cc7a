import { decode } from "../picture/decode.ts";
import type { LoadedTask } from "../tasks/task.ts";

/** The first ten runs of a small network are the slow ones: afterwards its code is compiled for good. */
const RUNS = 10;

/** A large network is warm after one run; it need not be shown the picture ten times. */
const MAX_WARM_UP_MS = 1500;

/** Runs a task on a made-up picture, from its bytes on, until its speed is what jobs will see. */
export async function warmUp(task: LoadedTask): Promise<void> {
  const bytes = greyBmp(64);
  const until = performance.now() + MAX_WARM_UP_MS;
  for (let run = 0; run < RUNS && (run === 0 || performance.now() < until); run++) {
    using picture = await decode(bytes, 64 * 64);
    await task.prepare(picture, 0, {})();
  }
}

/** A square picture as a 24-bit BMP file, the format that is simplest to write (BITMAPINFOHEADER). */
function greyBmp(side: number): Uint8Array {
  const header = 14 + 40;
  const file = new Uint8Array(header + side * side * 3).fill(128);
  const view = new DataView(file.buffer);
  file.fill(0, 0, header);
  file.set([0x42, 0x4d]);
  view.setUint32(2, file.length, true);
  view.setUint32(10, header, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, side, true);
  view.setInt32(22, side, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  return file;
}
