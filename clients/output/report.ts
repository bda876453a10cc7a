/**
 * What the user sees: results on stdout, progress, warnings and errors on stderr, none of them
 * running into another.
 *
 * @module
 */
// @ts-types="@types/cli-progress"
import { SingleBar } from "cli-progress";
import process from "node:process";
import { Problem } from "@fovea/contract";
import { reasonOf } from "@fovea/process/file_error";

/** The reader of stdout went away, as `head` does: there is nobody left to print for. */
export class ReaderGone extends Error {}

type Stream = typeof Deno.stdout | typeof Deno.stderr;

export interface ReportOptions {
  /** How many pictures there are. */
  total: number;
  /** No progress, no warnings. */
  quiet: boolean;
  /** False where results are not printed. */
  results: boolean;
}

/** Writes everything. Progress is a bar where stderr is a terminal, otherwise a line for each step. */
export class Report implements Disposable {
  readonly #quiet: boolean;
  readonly #results: boolean;
  readonly #total: number;
  readonly #bar: SingleBar | undefined;
  #done = 0;
  #step = "";

  constructor({ total, quiet, results }: ReportOptions) {
    this.#quiet = quiet;
    this.#results = results;
    this.#total = total;
    if (!quiet && Deno.stderr.isTerminal()) {
      this.#bar = new SingleBar({
        stream: process.stderr,
        format: "[{bar}] {value}/{total}  {step}",
        barsize: 24,
        barCompleteChar: "#",
        barIncompleteChar: "-",
        clearOnComplete: true,
        gracefulExit: false,
      });
      this.#showBar();
    }
  }

  step(file: string, what: string): void {
    this.progress(`${file}: ${what}`);
  }

  /** Shows how far all pictures have come. A text that is repeated is printed once. */
  progress(text: string): void {
    if (this.#quiet || text === this.#step) return;
    this.#step = text;
    if (this.#bar) this.#bar.update(this.#done, { step: this.#step });
    else printError(this.#step);
  }

  /** Counts a picture as done. Is called before its result is printed. */
  pictureDone(): void {
    this.#done++;
  }

  /** @throws {ReaderGone} @throws {Problem} as {@link print} does */
  result(text: string): void {
    if (this.#results) this.#withoutBar(() => print(text));
  }

  error(text: string): void {
    this.#withoutBar(() => printError(text));
  }

  /** Prints warnings and counts. */
  note(text: string): void {
    if (!this.#quiet) this.error(text);
  }

  /** Hides the bar while something else is printed, since both streams may be one terminal. */
  #withoutBar(write: () => void): void {
    this.#bar?.stop();
    write();
    this.#showBar();
  }

  #showBar(): void {
    this.#bar?.start(this.#total, this.#done, { step: this.#step });
  }

  [Symbol.dispose](): void {
    this.#bar?.stop();
  }
}

/**
 * Prints a line on stdout, all of it, before it returns.
 *
 * @throws {ReaderGone}
 * @throws {Problem} `usage` where it can't be written for another reason
 */
export function print(text: string): void {
  try {
    write(Deno.stdout, text);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw new ReaderGone();
    throw new Problem("usage", `stdout can't be written to: ${reasonOf(error)}`);
  }
}

/** Prints a line on stderr. Where that fails the work continues: there is no other place to say so. */
export function printError(text: string): void {
  try {
    write(Deno.stderr, text);
  } catch {
    // See above.
  }
}

function write(stream: Stream, text: string): void {
  let bytes = new TextEncoder().encode(`${text}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}
