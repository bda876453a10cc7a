/**
 * A program in a terminal of its own, as a person runs it: util-linux's `script` makes the terminal.
 *
 * @module
 */
import { until } from "@fovea/testing";
import { TextLineStream } from "@fovea/testing/text_line_stream";

const LIMIT_MS = 60_000;

export const CTRL_C = "\x03";

export class Terminal implements AsyncDisposable {
  /** What the program has shown so far, line by line. */
  readonly lines: string[] = [];
  readonly #script: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;

  /** @param command as typed into a shell, which becomes the program */
  constructor(command: string, options: Pick<Deno.CommandOptions, "cwd" | "env">) {
    this.#script = new Deno.Command("script", {
      args: ["--quiet", "--return", "--command", `exec ${command}`, "/dev/null"],
      ...options,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#keys = this.#script.stdin.getWriter();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    const lines = this.#script.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) this.lines.push(line.trimEnd());
  }

  async type(keys: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(keys));
  }

  /** The first line that matches, which may still have to come. */
  async line(pattern: RegExp): Promise<RegExpMatchArray> {
    const what = () => `a line like ${pattern}, beside these:\n${this.lines.join("\n")}`;
    return await until(
      what,
      () => this.lines.map((line) => line.match(pattern)).find((match) => match !== null),
    );
  }

  /** Waits for the program to end, and has its exit code; 130 where Ctrl-C ended it at once. */
  async code(): Promise<number> {
    const limit = setTimeout(() => this.#script.kill("SIGKILL"), LIMIT_MS);
    const { code, signal } = await this.#script.status;
    clearTimeout(limit);
    if (signal !== null) {
      throw new Error(`the program did not end in ${LIMIT_MS} ms:\n${this.lines.join("\n")}`);
    }
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // The terminal goes with it, and so does the program in it.
      this.#script.kill("SIGKILL");
    } catch { /* It has ended already. */ }
    await this.#script.status;
    await this.#keys.close().catch(() => {});
    await this.#reading;
  }
}
