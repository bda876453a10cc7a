/**
 * Shows the progress of a fetch on stderr: as a bar on a terminal, otherwise as a line now and then.
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
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const LINE_EVERY_MS = 5_000;

function bar(name: string): Progress {
  let open: SingleBar | undefined;
  const end = () => {
    open?.stop();
    open = undefined;
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupted[signal]);
  };
  // The bar hides the cursor and keeps lines from wrapping: the end of the program undoes both.
  const interrupted = {
    SIGINT: () => (end(), Deno.exit(130)),
    SIGTERM: () => (end(), Deno.exit(143)),
  };
  return {
    update(received, total) {
      if (open === undefined) {
        open = new SingleBar({
          format: `${name} {bar} {percentage} % of ${
            (total / MEGABYTE).toFixed(1)
          } MB, {eta_formatted} left`,
          clearOnComplete: true,
          hideCursor: true,
          // Enough to even out the pace of a download.
          etaBuffer: 100,
        }, Presets.shades_classic);
        for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupted[signal]);
        open.start(total, received);
      }
      open.update(received);
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
