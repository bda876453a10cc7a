/**
 * A thread of its own for code that bytes from outside may keep busy for ever, or bring down: it
 * answers one question after the other, and is ended and replaced when one takes too long.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import { SerialQueue } from "@fovea/process/serial_queue";

/** A thread breaks off its work after so long; see [note: threads that don't end]. */
export const WORK_LIMIT_MS = 30_000;

export interface ThreadOptions {
  /** A module that answers each message with one message, and limits its work to {@link WORK_LIMIT_MS}. */
  script: URL;
  /** Milliseconds that an answer may take, less than {@link WORK_LIMIT_MS}. */
  deadlineMs: number;
  /** Milliseconds without a question after which it ends, and its memory with it; else never. */
  idleMs?: number;
}

export class Thread<Question, Answer> implements Disposable {
  readonly #options: ThreadOptions;
  readonly #queue = new SerialQueue();
  #worker: Worker | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #waiting = 0;

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Begins before the first question, which would else wait for that. */
  start(): Worker {
    return this.#worker ??= new Worker(this.#options.script, { type: "module" });
  }

  /** Questions that have no answer yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** @throws {Problem} `deadline_exceeded`; `worker_lost`, where the question was its end */
  async ask(question: Question): Promise<Answer> {
    this.#waiting++;
    try {
      return await this.#queue.run(() => this.#answer(question));
    } finally {
      this.#waiting--;
    }
  }

  async #answer(question: Question): Promise<Answer> {
    const { deadlineMs, idleMs } = this.#options;
    clearTimeout(this.#idle);
    const worker = this.start();
    const answer = Promise.withResolvers<Answer>();
    const timer = setTimeout(() => {
      const detail = `file took longer than ${deadlineMs / 1000} s, the most that is allowed`;
      answer.reject(new Problem("deadline_exceeded", detail));
    }, deadlineMs);
    worker.onmessage = ({ data }: MessageEvent<Answer>) => answer.resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      answer.reject(new Problem("worker_lost", `thread died: ${event.message}`));
    };
    worker.postMessage(question);
    try {
      return await answer.promise;
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      clearTimeout(timer);
      if (idleMs !== undefined) this.#idle = setTimeout(() => this.#end(), idleMs);
    }
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#idle);
    this.#end();
  }
}
