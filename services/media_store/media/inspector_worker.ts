/**
 * The thread in which {@link readMediaMetadata} runs: see inspector.ts.
 *
 * @module
 */
// First, so that it comes before the packages.
import "@fovea/process/empty_environment";
import { loadMagick } from "@fovea/pictures/magick";
import { answerQuestions } from "../thread_worker.ts";
import { readMediaMetadata } from "./media_metadata.ts";

answerQuestions(readMediaMetadata, { prepare: loadMagick });
