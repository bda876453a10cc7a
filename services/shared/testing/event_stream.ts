/**
 * A reader of server-sent events, for tests.
 *
 * @module
 */
import { TextLineStream } from "./text_line_stream.ts";
import { within } from "./until.ts";

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
  /** Waits until it holds, at most as long as every wait. @param what one waits for */
  until(holds: () => boolean, what?: string): Promise<void>;
}

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
    until: async (holds, what = holds.toString()) => {
      const found = Promise.withResolvers<void>();
      const look = () => {
        if (holds()) found.resolve();
      };
      waiting.add(look);
      look();
      try {
        const said = () => `${what}, after ${JSON.stringify(events.slice(-3))}`;
        await within(said, found.promise);
      } finally {
        waiting.delete(look);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await reader.cancel().catch(() => {});
      await reading;
    },
  };
}
