/**
 * The process that fetches models for a service: see fetch_apart.ts. It ends when its stdin does,
 * which is when the service ends, whatever ended it.
 *
 * @module
 */
import { stdin } from "node:process";
import { createInterface } from "node:readline";
import { fetchFirst } from "../fetch_first.ts";
import { ModelUnavailable } from "../fetch_model.ts";
import { MODELS } from "../manifest.ts";
import type { Message, Order } from "./messages.ts";

/** Between two messages that say how many bytes of a model are there, ms. */
const PROGRESS_MS = 250;

// A signal to the whole group is the service's affair, which then closes stdin.
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => {});

const input = createInterface({ input: stdin });
input.once("close", () => Deno.exit(1));
input.once("line", async (line) => {
  tell(await fetchOrdered(JSON.parse(line)));
  Deno.exit(0);
});

async function fetchOrdered({ models, modelsDir, mirror }: Order): Promise<Message> {
  let coming: Message | undefined;
  const tellProgress = () => {
    if (coming !== undefined) tell(coming);
    coming = undefined;
  };
  setInterval(tellProgress, PROGRESS_MS);
  try {
    const entries = models.map((name) => MODELS.find((model) => model.name === name)!);
    const { entry, path } = await fetchFirst(entries, {
      modelsDir,
      mirror,
      onNotice: (sentence) => tell({ kind: "notice", sentence }),
      onProgress: ({ name }, received) => {
        coming = { kind: "progress", model: name, received };
      },
      onFailure: ({ name }, why, pauseMs) => {
        tellProgress();
        tell({ kind: "failure", model: name, why, pauseMs });
      },
    });
    return { kind: "fetched", model: entry.name, path };
  } catch (error) {
    if (!(error instanceof ModelUnavailable)) throw error;
    return { kind: "unavailable", why: error.message };
  }
}

/** Where nobody listens any more there is nobody to fetch for. */
function tell(message: Message): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
  try {
    for (let written = 0; written < bytes.length;) {
      written += Deno.stdout.writeSync(bytes.subarray(written));
    }
  } catch {
    Deno.exit(1);
  }
}
