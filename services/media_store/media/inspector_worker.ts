/**
 * The thread in which {@link readMediaMetadata} runs: see inspector.ts.
 *
 * @module
 */
import { loadMagick } from "@fovea/pictures/magick";
import { limitWork } from "@fovea/process/interruptible";
import { Problem, type ProblemCode } from "@fovea/contract";
import { WORK_LIMIT_MS } from "../thread.ts";
import { type Inspection, type MediaMetadata, readMediaMetadata } from "./media_metadata.ts";

/** Answer to an {@link Inspection}. */
export type Finding =
  | { metadata: MediaMetadata }
  | { problem: ProblemCode; detail: string }
  | { error: string };

const thread = self as unknown as {
  onmessage: (event: MessageEvent<Inspection>) => void;
  postMessage(finding: Finding): void;
};

limitWork(WORK_LIMIT_MS);

// Before the first file comes. Where it fails the first question will say so.
loadMagick().catch(() => {});

thread.onmessage = async ({ data }) => thread.postMessage(await inspect(data));

async function inspect(inspection: Inspection): Promise<Finding> {
  try {
    return { metadata: await readMediaMetadata(inspection) };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.code, detail: error.message };
    return { error: String((error as Error).stack ?? error) };
  }
}
