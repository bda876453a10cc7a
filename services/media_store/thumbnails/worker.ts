/**
 * The thread in which thumbnails are made.
 *
 * @module
 */
// First, so that it comes before the packages.
import "@fovea/process/empty_environment";
import { loadMagick } from "@fovea/pictures/magick";
import { answerQuestions } from "../thread_worker.ts";
import { renderThumbnail } from "./render.ts";
import type { ThumbnailRequest } from "./thumbnail.ts";

answerQuestions(
  async (request: ThumbnailRequest) =>
    await renderThumbnail(await Deno.readFile(request.path), request),
  { prepare: loadMagick, transfer: (thumbnail) => [thumbnail.buffer] },
);
