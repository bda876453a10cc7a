/**
 * A program run for a test: what it writes to stderr is kept, and it does not outlive the test.
 *
 * @module
 */
import { TextLineStream } from "./text_line_stream.ts";
import { within } from "./until.ts";

/** How long a program that is asked to end may take before it is ended by force. */
const GRACE_MS = 10_000;

export class Child implements AsyncDisposable {
  /** Everything on stderr so far, line by line. */
  readonly lines: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #read: Promise<void>;
  readonly #name: string;
  #onLine: (line: string) => void = () => {};

  constructor(program: string, options: Deno.CommandOptions) {
    this.#name = [program, ...options.args ?? []].join(" ");
    this.#process = new Deno.Command(program, {
      ...options,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#read = this.#readLines();
  }

  get pid(): number {
    return this.#process.pid;
  }

  async #readLines(): Promise<void> {
    const lines = this.#process.stderr
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      this.lines.push(line);
      this.#onLine(line);
    }
  }

  /**
   * Waits for the first line in which `find` finds something, and resolves with that.
   *
   * @throws {Error} with all that the program wrote, where it ends before, or writes nothing such
   */
  async first<T>(find: (line: string) => T | undefined): Promise<T> {
    const found = Promise.withResolvers<T>();
    this.#onLine = (line) => {
      const value = find(line);
      if (value !== undefined) found.resolve(value);
    };
    this.lines.forEach(this.#onLine);
    const ended = async (): Promise<never> => {
      const { code } = await this.status();
      throw new Error(`${this.#name} ended with exit code ${code}:\n${this.lines.join("\n")}`);
    };
    try {
      return await within(
        () => `a line of ${this.#name} that was expected, beside these:\n${this.lines.join("\n")}`,
        Promise.race([found.promise, ended()]),
      );
    } finally {
      this.#onLine = () => {};
    }
  }

  /** Resolves once the program has ended and all it wrote is in `lines`. */
  async status(): Promise<Deno.CommandStatus> {
    await this.#read;
    return await this.#process.status;
  }

  /** Sends a signal and waits for the end. Nothing happens to a program that has ended already. */
  async kill(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    this.#send(signal);
    return await within(`the end of ${this.#name} after ${signal}`, this.status());
  }

  #send(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const force = setTimeout(() => this.#send("SIGKILL"), GRACE_MS);
    await this.kill("SIGTERM");
    clearTimeout(force);
  }
}
