/**
 * The other end of a {@link Thread}: what runs in it.
 *
 * @module
 */
import { Problem, type ProblemCode } from "@fovea/contract";
import { BrokenOffError, limitWork } from "@fovea/process/interruptible";

export interface ThreadQuestion<Question> {
  question: Question;
  /** Milliseconds after which the work on it is broken off. */
  limitMs: number;
}

export interface BrokenOff {
  kind: "broken_off";
  /** How long the thread itself has computed until then. */
  computedMs: number;
}

/** `ready` comes first, unasked; then there is one reply to each question. */
export type ThreadReply<Answer> =
  | { kind: "ready" }
  | { kind: "answer"; answer: Answer }
  | { kind: "problem"; code: ProblemCode; detail: string }
  | BrokenOff
  /** A fault of WebAssembly: nothing in the thread can be relied on after it. */
  | { kind: "fault"; message: string }
  | { kind: "error"; stack: string };

const thread = self as unknown as {
  onmessage: (event: MessageEvent<ThreadQuestion<unknown>>) => void;
  postMessage(reply: ThreadReply<unknown>, transfer?: Transferable[]): void;
};

/**
 * Answers the questions of this thread, one after the other.
 *
 * @param answer its long work is `interruptible`
 * @param options `prepare` comes before the first question, and its time counts for none of them;
 *   `transfer` says what of an answer is handed over rather than copied
 */
export async function answerQuestions<Question, Answer>(
  answer: (question: Question) => Promise<Answer> | Answer,
  options: {
    prepare?: () => Promise<void>;
    transfer?: (answer: Answer) => Transferable[];
  } = {},
): Promise<void> {
  const { prepare, transfer } = options;
  thread.onmessage = async ({ data: { question, limitMs } }) => {
    limitWork(limitMs);
    try {
      const answered = await answer(question as Question);
      thread.postMessage({ kind: "answer", answer: answered }, transfer?.(answered) ?? []);
    } catch (error) {
      thread.postMessage(replyTo(error));
    }
  };
  // Where it fails the first question will say so.
  await prepare?.().catch(() => {});
  thread.postMessage({ kind: "ready" });
}

function replyTo(error: unknown): ThreadReply<never> {
  if (error instanceof Problem) {
    return { kind: "problem", code: error.code, detail: error.message };
  }
  if (error instanceof BrokenOffError) {
    return { kind: "broken_off", computedMs: error.computedMs };
  }
  if (error instanceof WebAssembly.RuntimeError) return { kind: "fault", message: error.message };
  return { kind: "error", stack: String((error as Error)?.stack ?? error) };
}
