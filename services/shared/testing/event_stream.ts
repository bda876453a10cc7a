/**
 * A reader of server-sent events, for tests.
 *
 * @module
 */
import { TextLineStream } from "./text_line_stream.ts";

export interface ReceivedEvent {
  id: string | undefined;
  /** `message` where the stream gives none. */
  name: string;
  data: unknown;
}

export interface Followed extends AsyncDisposable {
  response: Response;
  events: ReceivedEvent[];
  /** How many comments came. */
  readonly comments: number;
  /** Waits until it holds, a minute at most. @param what one waits for */
  until(holds: () => boolean, what?: string): Promise<void>;
}

/** Milliseconds that a test waits at most. */
const LIMIT_MS = 60_000;

/** @param response one that has come already, in place of a call of `url` */
export async function follow(
  url: string,
  headers: Record<string, string> = {},
  response?: Response,
): Promise<Followed> {
  const answer = response ?? await fetch(url, { headers });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  const events: ReceivedEvent[] = [];
  const waiting = new Set<() => void>();
  let comments = 0;
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();

  const read = async () => {
    let event: Partial<Record<string, string>> = {};
    for (;;) {
      const { value: line, done } = await reader.read();
      if (done) return;
      const [, field, value] = line.match(/^(\w*): ?(.*)$/) ?? [];
      if (field === "") comments++;
      else if (field !== undefined) event[field] = value!;
      else {
        const { id, event: name = "message", data } = event;
        if (data !== undefined) events.push({ id, name, data: JSON.parse(data) });
        event = {};
      }
      for (const look of waiting) look();
    }
  };
  const reading = read().catch(() => {});
  return {
    response: answer,
    events,
    get comments() {
      return comments;
    },
    until: (holds, what = holds.toString()) =>
      new Promise((resolve, reject) => {
        const end = (settle: () => void) => {
          clearTimeout(timer);
          waiting.delete(look);
          settle();
        };
        const look = () => {
          if (holds()) end(resolve);
        };
        const timer = setTimeout(() => {
          const seen = JSON.stringify(events.slice(-3));
          end(() => reject(new Error(`waited a minute for ${what}; the last events: ${seen}`)));
        }, LIMIT_MS);
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: async () => {
      await reader.cancel().catch(() => {});
      await reading;
    },
  };
}
