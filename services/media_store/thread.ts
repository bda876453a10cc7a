/**
 * A thread of its own for code that bytes from outside may keep busy for ever, or bring down: it
 * answers one question after the other, and is ended and replaced when one takes too long.
 *
 * [note: a busy machine] A picture is not to blame for a machine that has too much to do. So the
 * start of a thread is not counted, and work that was broken off at its limit is held against its
 * picture only where the thread itself has computed for half of that time. Otherwise it is tried once
 * more, with as much more time as the thread was kept waiting. Where that is not enough either, the
 * answer is `service_busy`, which says nothing of the picture.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import { SerialQueue } from "@fovea/process/serial_queue";
import type { BrokenOff, ThreadQuestion, ThreadReply } from "./thread_worker.ts";

/** A thread may take so long until it is ready for its first question. */
const START_LIMIT_MS = 60_000;

/** So much more time is given at most to work whose thread was kept waiting. */
const MAX_STRETCH = 6;

/** A thread breaks its work off by itself; one that says nothing for so many times its limit is ended. */
const SILENCE_FACTOR = 4;

export interface ThreadOptions {
  /** A module that calls `answerQuestions`. */
  script: URL;
  /** Milliseconds after which the work on a question is broken off. */
  limitMs: number;
  /** Milliseconds without a question after which it ends, and its memory with it; else never. */
  idleMs?: number | undefined;
  startLimitMs?: number;
  /** What the thread may do; unset: what the process may. */
  permissions?: Deno.PermissionOptions | undefined;
}

export class Thread<Question, Answer> implements Disposable {
  readonly #options: Required<Pick<ThreadOptions, "startLimitMs">> & ThreadOptions;
  readonly #queue = new SerialQueue();
  #worker: Worker | undefined;
  #ready: Promise<unknown> | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #waiting = 0;

  constructor(options: ThreadOptions) {
    this.#options = { startLimitMs: START_LIMIT_MS, ...options };
  }

  /** Begins before the first question, which would else wait for that. */
  start(): void {
    this.#begin();
    this.#endWhenIdle();
  }

  /** Questions that have no answer yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * @throws {Problem} what the question was answered by; `deadline_exceeded`; `worker_lost`, where
   * the question was its end; `service_busy`, see [note: a busy machine]
   * @throws {Error} where the thread failed, and not because of the question
   */
  async ask(question: Question): Promise<Answer> {
    this.#waiting++;
    try {
      return await this.#queue.run(() => this.#answer(question));
    } finally {
      this.#waiting--;
    }
  }

  async #answer(question: Question): Promise<Answer> {
    clearTimeout(this.#idle);
    try {
      const { limitMs } = this.#options;
      let reply = await this.#exchange(question, limitMs);
      if (this.#wasKeptWaiting(reply)) {
        this.#end();
        const stretch = Math.min(MAX_STRETCH, limitMs / Math.max(1, reply.computedMs));
        reply = await this.#exchange(question, Math.ceil(limitMs * stretch));
      }
      if (reply.kind === "answer") return reply.answer;
      if (reply.kind === "problem") throw new Problem(reply.code, reply.detail);
      // What work that failed has left in the thread is of no use.
      this.#end();
      throw this.#failureOf(reply);
    } finally {
      this.#endWhenIdle();
    }
  }

  #wasKeptWaiting(reply: ThreadReply<Answer>): reply is BrokenOff {
    return reply.kind === "broken_off" && reply.computedMs < this.#options.limitMs / 2;
  }

  async #exchange(question: Question, limitMs: number): Promise<ThreadReply<Answer>> {
    const { startLimitMs } = this.#options;
    try {
      const worker = this.#begin();
      await within(this.#ready!, startLimitMs, "to start");
      const reply = this.#nextReply(worker);
      const message: ThreadQuestion<Question> = { question, limitMs };
      worker.postMessage(message);
      return await within(reply, SILENCE_FACTOR * limitMs, "to answer");
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #begin(): Worker {
    if (this.#worker === undefined) {
      this.#worker = new Worker(this.#options.script, {
        type: "module",
        deno: { permissions: this.#options.permissions ?? "inherit" },
      });
      this.#ready = this.#nextReply(this.#worker).catch(({ message }) => {
        throw new Error(`Cannot start a thread: ${message}`);
      });
      // Whoever asks first hears of it.
      this.#ready.catch(() => {});
    }
    return this.#worker;
  }

  #nextReply(worker: Worker): Promise<ThreadReply<Answer>> {
    const reply = Promise.withResolvers<ThreadReply<Answer>>();
    worker.onmessage = ({ data }: MessageEvent<ThreadReply<Answer>>) => reply.resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      // Also where nobody asks it just now.
      if (worker === this.#worker) this.#end();
      reply.reject(new Problem("worker_lost", `thread died: ${event.message}`));
    };
    return reply.promise;
  }

  #failureOf(reply: Exclude<ThreadReply<Answer>, { kind: "answer" | "problem" }>): Error {
    const seconds = this.#options.limitMs / 1000;
    switch (reply.kind) {
      case "broken_off":
        return this.#wasKeptWaiting(reply) ? busy("its threads are kept waiting") : new Problem(
          "deadline_exceeded",
          `file took longer than ${seconds} s, the most that is allowed`,
        );
      case "fault":
        return new Problem("worker_lost", `thread died: ${reply.message}`);
      case "error":
        return new Error(`Cannot answer in a thread: ${reply.stack}`);
      case "ready":
        return new Error("Cannot answer in a thread: it is ready twice");
    }
  }

  #endWhenIdle(): void {
    const { idleMs } = this.#options;
    clearTimeout(this.#idle);
    if (idleMs !== undefined) this.#idle = setTimeout(() => this.#end(), idleMs);
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

/** Seconds after which a busy machine may be asked again. */
const RETRY_AFTER_S = 5;

function busy(why: string): Problem {
  return new Problem(
    "service_busy",
    `the service's machine has too much to do to look at the file now (${why}): try again later`,
    { retry_after_s: RETRY_AFTER_S },
  );
}

async function within<T>(promise: Promise<T>, limitMs: number, forWhat: string): Promise<T> {
  let timer;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(busy(`a thread took more than ${limitMs / 1000} s ${forWhat}`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
