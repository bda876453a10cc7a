/**
 * The thread in which thumbnails are made. What is no {@link Problem} of the picture ends it: after
 * a fault of WebAssembly nothing in it can be relied on.
 *
 * @module
 */
import { limitWork } from "@fovea/process/interruptible";
import { Problem, type ProblemCode } from "@fovea/contract";
import { WORK_LIMIT_MS } from "../thread.ts";
import { renderThumbnail } from "./render.ts";
import type { ThumbnailOrder } from "./thumbnail.ts";

/** Answer to a {@link ThumbnailOrder}. */
export type Delivery =
  | { thumbnail: Uint8Array<ArrayBuffer> }
  | { problem: ProblemCode; detail: string };

const thread = self as unknown as {
  onmessage: (event: MessageEvent<ThumbnailOrder>) => void;
  postMessage(delivery: Delivery, transfer?: Transferable[]): void;
};

limitWork(WORK_LIMIT_MS);

thread.onmessage = async ({ data: order }) => {
  const delivery = await carryOut(order);
  thread.postMessage(delivery, "thumbnail" in delivery ? [delivery.thumbnail.buffer] : []);
};

async function carryOut(order: ThumbnailOrder): Promise<Delivery> {
  try {
    return { thumbnail: await renderThumbnail(await Deno.readFile(order.path), order) };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.code, detail: error.message };
    throw error;
  }
}
