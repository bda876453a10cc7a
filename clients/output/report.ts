/**
 * What the user sees: results on stdout, progress, warnings and errors on stderr, none of them
 * running into another.
 *
 * @module
 */
// @ts-types="@types/cli-progress"
import { SingleBar } from "cli-progress";
import process from "node:process";

/** The reader of stdout went away, as `head` does: there is nobody left to print for. */
export class ReaderGone extends Error {}

export interface ReportOptions {
  /** How many pictures there are. */
  total: number;
  /** No progress, no warnings. */
  quiet: boolean;
}

/** Writes everything; a progress bar where stderr is a terminal, else a line a step. */
export class Report implements Disposable {
  readonly #quiet: boolean;
  readonly #total: number;
  readonly #bar: SingleBar | undefined;
  #done = 0;
  #step = "";

  constructor({ total, quiet }: ReportOptions) {
    this.#quiet = quiet;
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
    if (this.#quiet) return;
    this.#step = `${file}: ${what}`;
    if (this.#bar) this.#bar.update(this.#done, { step: this.#step });
    else write(Deno.stderr, this.#step);
  }

  /** Counts a picture, before the last is said of it. */
  pictureDone(): void {
    this.#done++;
  }

  /** @throws {ReaderGone} */
  result(text: string): void {
    this.#aside(Deno.stdout, text);
  }

  error(text: string): void {
    this.#aside(Deno.stderr, text);
  }

  warning(text: string): void {
    if (!this.#quiet) this.#aside(Deno.stderr, text);
  }

  /** Takes the bar away while something else is printed: both streams may be one terminal. */
  #aside(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
    this.#bar?.stop();
    write(stream, text);
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
 * Writes a line, all of it, before it returns.
 *
 * @throws {ReaderGone}
 */
export function write(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  let bytes = new TextEncoder().encode(`${text}\n`);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw new ReaderGone();
    throw error;
  }
}
