/**
 * The process that fetches models for a service: see fetch_in_child_process.ts. It ends when its
 * stdin does, which is when the service ends, whatever ended it.
 *
 * @module
 */
import { stdin } from "node:process";
import { createInterface } from "node:readline";
import { fetchFirst } from "../fetch_first.ts";
import { ModelUnavailable } from "../fetch_model.ts";
import { MODELS } from "../manifest.ts";
import type { FetchRequest, Message } from "./messages.ts";

/** Between two messages that say how many bytes of a model are there. */
const PROGRESS_INTERVAL_MS = 250;

// A signal to the whole group is for the service, which then closes stdin.
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => {});

const input = createInterface({ input: stdin });
input.once("close", () => Deno.exit(1));
input.once("line", async (line) => {
  send(await fetchRequested(JSON.parse(line)));
  Deno.exit(0);
});

async function fetchRequested({ models, modelsDir, mirror }: FetchRequest): Promise<Message> {
  let pendingProgress: Message | undefined;
  const sendProgress = () => {
    if (pendingProgress !== undefined) send(pendingProgress);
    pendingProgress = undefined;
  };
  setInterval(sendProgress, PROGRESS_INTERVAL_MS);
  try {
    const entries = models.map((name) => MODELS.find((model) => model.name === name)!);
    const { entry, path } = await fetchFirst(entries, {
      modelsDir,
      mirror,
      onNotice: (sentence) => send({ kind: "notice", sentence }),
      onProgress: ({ name }, received) => {
        pendingProgress = { kind: "progress", model: name, received };
      },
      onFailure: ({ name }, why, pauseMs) => {
        sendProgress();
        send({ kind: "failure", model: name, why, pauseMs });
      },
    });
    return { kind: "fetched", model: entry.name, path };
  } catch (error) {
    if (!(error instanceof ModelUnavailable)) throw error;
    return { kind: "unavailable", why: error.message };
  }
}

/** Ends the process where the service does not listen any more. */
function send(message: Message): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
  try {
    for (let written = 0; written < bytes.length;) {
      written += Deno.stdout.writeSync(bytes.subarray(written));
    }
  } catch {
    Deno.exit(1);
  }
}
