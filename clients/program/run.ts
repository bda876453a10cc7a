/**
 * All pictures of one call. Several are processed at once, and results are printed in the order of the
 * arguments. A picture that fails does not stop the others.
 *
 * @module
 */
import { EXIT, type FaceDetectionResult, Problem } from "@fovea/contract";
import { NamedFileError } from "@fovea/process/named_file";
import { chooseDestinations, type Destination } from "../annotation/destination.ts";
import { checkPicture, readPicture } from "../files/picture_file.ts";
import { countText, exitCode, type Outcome } from "../output/outcome.ts";
import { mapConcurrently } from "../workflow/concurrent_map.ts";
import { connect } from "./connect.ts";
import type { Client, Options } from "./options.ts";
import type { Report } from "../output/report.ts";
import { reportOutcome } from "./report_outcome.ts";
import { analyse, FailedJob, type Workflow } from "../workflow/workflow.ts";

/** Pictures at a time: enough for a few workers, and few enough for the memory. */
const AT_ONCE = 4;

/**
 * Sends every picture through the workflow and prints the results.
 *
 * @returns the exit code
 * @throws {Problem} what kept it from beginning, or that a result could not be written
 */
export async function run(client: Client, options: Options, report: Report): Promise<number> {
  const { images } = options;
  const outcomes: Outcome[] = [];
  const take = (outcome: Outcome): void => {
    outcomes.push(outcome);
    report.pictureDone();
    reportOutcome(outcome, client, options, report);
  };
  const unreadable = await findUnreadable(images);
  if (images.every((file) => unreadable.has(file))) {
    unreadable.forEach((problem, file) => take({ file, problem }));
    return EXIT.usage;
  }
  const destinationOf = await chooseDestinations(options);
  const workflow = await connect(client, options, report);
  await using _broker = workflow.broker;
  using _readiness = workflow.readiness;
  const work = async (file: string): Promise<Outcome> => {
    const problem = unreadable.get(file);
    return problem === undefined
      ? await lookAt(file, destinationOf(file), { client, workflow, report })
      : { file, problem };
  };
  for await (const outcome of mapConcurrently(images, AT_ONCE, work)) take(outcome);
  if (outcomes.some(({ job }) => job !== undefined && job.sha256 === undefined)) {
    report.note(
      "Warning: this inference does not say of which bytes its results are: where a stored picture " +
        "was replaced, a result may be of the one before",
    );
  }
  if (images.length > 1) report.note(countText(outcomes));
  return exitCode(outcomes);
}

/** Never rejects: what went wrong is part of the outcome. */
async function lookAt(
  file: string,
  destination: Destination,
  { client, workflow, report }: { client: Client; workflow: Workflow; report: Report },
): Promise<Outcome> {
  const outcome: Outcome = { file };
  try {
    const picture = await readPicture(file);
    outcome.job = await analyse(picture, workflow, {
      step: (text) => report.step(file, text),
      stored: (stored) => {
        outcome.stored = stored;
        report.step(file, `stored as entity ${stored.id}`);
      },
      submitted: (jobId) => {
        outcome.jobId = jobId;
        report.step(file, `waiting for job ${jobId}`);
      },
    });
    // Only a client that asks for faces writes pictures of them.
    const result = outcome.job.result as FaceDetectionResult;
    await client.writeFacePictures?.(picture.bytes, result, destination);
  } catch (error) {
    if (error instanceof FailedJob) outcome.job = error.job;
    outcome.problem = asProblem(error);
  }
  return outcome;
}

/** What was thrown, as a {@link Problem} with a code. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof NamedFileError) return new Problem("usage", error.message);
  return new Problem("internal_error", `something unexpected happened: ${error}`);
}

async function findUnreadable(files: string[]): Promise<Map<string, Problem>> {
  const unreadable = new Map<string, Problem>();
  for (const file of files) {
    await checkPicture(file).catch((error) => unreadable.set(file, asProblem(error)));
  }
  return unreadable;
}
