/**
 * A client as a process: arguments, signals, exit code.
 *
 * @module
 */
import { EXIT, PROBLEMS } from "@fovea/contract";
import { type Client, readOptions } from "./options.ts";
import { print, printError, ReaderGone, Report } from "../output/report.ts";
import { asProblem, run } from "./run.ts";

/** The exit codes that shells expect of a program that Ctrl-C has ended, or whose reader went away. */
const INTERRUPTED = 130;
const READER_GONE = 141;

/** Runs a client on this process's arguments, and ends the process. */
export async function main(client: Client): Promise<never> {
  try {
    Deno.exit(await start(client));
  } catch (error) {
    if (error instanceof ReaderGone) Deno.exit(READER_GONE);
    const problem = asProblem(error);
    printError(`Cannot run ${client.name}: ${problem.message}`);
    Deno.exit(PROBLEMS[problem.code].exit);
  }
}

async function start(client: Client): Promise<number> {
  const options = readOptions(client, Deno.args);
  if (typeof options === "string") {
    print(options.trimEnd());
    return EXIT.ok;
  }
  const { images, quiet, results } = options;
  using report = new Report({ total: images.length, quiet, results });
  Deno.addSignalListener("SIGINT", () => {
    report[Symbol.dispose]();
    Deno.exit(INTERRUPTED);
  });
  return await run(client, options, report);
}
