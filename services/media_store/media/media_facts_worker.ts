/**
 * The thread in which {@link readMediaFacts} runs: see inspector.ts.
 *
 * @module
 */
import { loadMagick } from "@fovea/pictures/magick";
import { limitWork } from "@fovea/process/interruptible";
import { Problem, type ProblemCode } from "@fovea/contract";
import { WORK_LIMIT_MS } from "../thread.ts";
import { type Inspection, type MediaFacts, readMediaFacts } from "./media_facts.ts";

/** Answer to an {@link Inspection}. */
export type Finding =
  | { facts: MediaFacts }
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
    return { facts: await readMediaFacts(inspection) };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.code, detail: error.message };
    return { error: String((error as Error).stack ?? error) };
  }
}
