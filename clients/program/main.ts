/**
 * A client as a process: arguments, signals, exit code.
 *
 * @module
 */
import { EXIT, PROBLEMS } from "@fovea/contract";
import { type Client, readOptions } from "./options.ts";
import { print, printError, ReaderGone, Report } from "../output/report.ts";
import { asProblem, run } from "./run.ts";

/** The exit codes that shells expect of a program that a signal has ended, or whose reader went away. */
const ENDED_BY = { SIGINT: 130, SIGTERM: 143 } as const;
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
  for (const [signal, code] of Object.entries(ENDED_BY)) {
    Deno.addSignalListener(signal as keyof typeof ENDED_BY, () => {
      // The bar has switched off the terminal's line wrap.
      report[Symbol.dispose]();
      Deno.exit(code);
    });
  }
  return await run(client, options, report);
}
