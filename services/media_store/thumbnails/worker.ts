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
import type { ThumbnailRequest } from "./thumbnail.ts";

/** Answer to a {@link ThumbnailRequest}. */
export type ThumbnailReply =
  | { thumbnail: Uint8Array<ArrayBuffer> }
  | { problem: ProblemCode; detail: string };

const thread = self as unknown as {
  onmessage: (event: MessageEvent<ThumbnailRequest>) => void;
  postMessage(reply: ThumbnailReply, transfer?: Transferable[]): void;
};

limitWork(WORK_LIMIT_MS);

thread.onmessage = async ({ data: request }) => {
  const reply = await render(request);
  thread.postMessage(reply, "thumbnail" in reply ? [reply.thumbnail.buffer] : []);
};

async function render(request: ThumbnailRequest): Promise<ThumbnailReply> {
  try {
    return { thumbnail: await renderThumbnail(await Deno.readFile(request.path), request) };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.code, detail: error.message };
    throw error;
  }
}
