/**
 * All pictures of one call: several under way at once, told of in the order they were given in, none
 * stopping the others by failing.
 *
 * @module
 */
import {
  EXIT,
  type FaceDetectionResult,
  type Job,
  Problem,
  type ProblemCode,
  PROBLEMS,
} from "@fovea/contract";
import { Broker } from "../workflow/broker.ts";
import { chooseDestinations } from "../annotation/destination.ts";
import { inOrder } from "../workflow/in_order.ts";
import { readInfo } from "../workflow/inference.ts";
import { checkPicture } from "../workflow/media_store.ts";
import type { Client, Options } from "./options.ts";
import type { Report } from "../output/report.ts";
import { asJson, asText } from "../output/result_text.ts";
import { analyse, type Workflow } from "../workflow/workflow.ts";

/** Enough to keep a few workers busy, few enough to hold in memory. */
const AT_ONCE = 4;

/**
 * Has every picture looked at and prints what came out.
 *
 * @returns the exit code
 * @throws {Problem} what kept it from beginning
 */
export async function run(client: Client, options: Options, report: Report): Promise<number> {
  const unreadable = await findUnreadable(options.images);
  const tell = ({ file, job, problem }: Outcome): void => {
    report.pictureDone();
    if (job !== undefined) {
      warnOfDelivery(job, file, report);
      report.result(options.json ? asJson(file, job) : asText(file, job));
    }
    if (problem !== undefined) {
      const doing = job === undefined ? client.doing : "make pictures of the faces in";
      report.error(`Cannot ${doing} ${file}: ${problem.message}`);
    }
  };
  if (options.images.every((file) => unreadable.has(file))) {
    unreadable.forEach((problem, file) => tell({ file, problem }));
    return EXIT.usage;
  }
  const destinationOf = await chooseDestinations(options);
  const workflow = await connect(client, options, report);
  await using _broker = workflow.broker;
  const look = async (file: string): Promise<Outcome> => {
    const problem = unreadable.get(file);
    if (problem !== undefined) return { file, problem };
    const outcome: Outcome = { file };
    const onStep = (step: string) => report.step(file, step);
    try {
      outcome.job = await analyse(file, workflow, onStep);
      // Only a client that asks for faces can illustrate.
      const result = outcome.job.result as FaceDetectionResult;
      await client.illustrate?.(file, result, destinationOf(file));
    } catch (error) {
      outcome.problem = asProblem(error);
    }
    return outcome;
  };
  const ends: (ProblemCode | undefined)[] = [];
  for await (const outcome of inOrder(options.images, AT_ONCE, look)) {
    tell(outcome);
    ends.push(outcome.problem?.code);
  }
  return exitCode(ends);
}

/** What came of a picture: both where there is a result, but not all that was wanted of it. */
interface Outcome {
  file: string;
  job?: Job;
  problem?: Problem;
}

/**
 * One code for all: 0 where all went well, the common code where all failed alike, else 5.
 *
 * @param ends why each picture failed; undefined for one that did not
 */
export function exitCode(ends: (ProblemCode | undefined)[]): number {
  const codes = new Set(ends.map((end) => end === undefined ? EXIT.ok : PROBLEMS[end].exit));
  const [first = EXIT.ok, ...others] = codes;
  return others.length === 0 ? first : EXIT.someFailed;
}

/** What was thrown, as a {@link Problem} with a code. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem("internal_error", `something unexpected happened: ${error}`);
}

async function findUnreadable(files: string[]): Promise<Map<string, Problem>> {
  const unreadable = new Map<string, Problem>();
  for (const file of files) {
    await checkPicture(file).catch((error) => unreadable.set(file, asProblem(error)));
  }
  return unreadable;
}

async function connect(
  { taskType }: Client,
  options: Options,
  report: Report,
): Promise<Workflow> {
  const { timeout_s, priority, label } = options;
  const token = Deno.env.get("FOVEA_TOKEN") || undefined;
  const mediaStore = { name: "media_store", url: options.mediaStore, token } as const;
  const inference = { name: "inference", url: options.inference, token } as const;

  const { tasks, mqtt_url } = await readInfo(inference);
  const task = tasks.find((task) => task.task_type === taskType);
  if (task?.model?.semantic === false) {
    report.warning(
      `Warning: "${task.model.name}" is a fixture, a stand-in for trying things out: its numbers ` +
        `say nothing about the pictures`,
    );
  }
  if (task?.state === "preparing") {
    const why = task.detail === undefined ? "" : `: ${task.detail}`;
    report.warning(`inference is preparing its model for ${taskType}, jobs wait until then${why}`);
  }
  const broker = await Broker.connect(options.mqtt ?? mqtt_url);
  return { mediaStore, inference, broker, taskType, timeout_s, priority, label };
}

function warnOfDelivery(job: Job, file: string, report: Report): void {
  if (job.status !== "sync_failed") return;
  report.warning(
    `Warning: media_store has not got the result of ${file} yet: inference goes on trying`,
  );
}
