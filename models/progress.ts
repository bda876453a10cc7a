/**
 * Shows how a fetch gets on, on stderr: a bar on a terminal, else a line now and then.
 *
 * @module
 */
import { Presets, SingleBar } from "cli-progress";

export interface Progress {
  update(received: number, total: number): void;
  /** A line of its own. */
  say(sentence: string): void;
  end(): void;
}

export function openProgress(name: string): Progress {
  return Deno.stderr.isTerminal() ? bar(name) : lines(name);
}

const MEGABYTE = 1e6;
const LINE_EVERY_MS = 5_000;

function bar(name: string): Progress {
  let shown: SingleBar | undefined;
  const end = () => {
    shown?.stop();
    shown = undefined;
  };
  return {
    update(received, total) {
      if (shown === undefined) {
        shown = new SingleBar({
          format: `${name} {bar} {percentage} % of ${(total / MEGABYTE).toFixed(1)} MB`,
          clearOnComplete: true,
          hideCursor: true,
        }, Presets.shades_classic);
        shown.start(total, received);
      }
      shown.update(received);
    },
    say(sentence) {
      end();
      console.error(sentence);
    },
    end,
  };
}

function lines(name: string): Progress {
  let last = Date.now();
  return {
    update(received, total) {
      if (Date.now() - last < LINE_EVERY_MS) return;
      last = Date.now();
      const percent = Math.floor(100 * received / total);
      console.error(`${name}: ${percent} % of ${(total / MEGABYTE).toFixed(1)} MB`);
    },
    say: (sentence) => console.error(sentence),
    end: () => {},
  };
}
