/**
 * Fetches models in a process of its own, which may do what a service may not: see `permissions.ts`.
 *
 * @module
 */
import { type Backoff, pauseBefore } from "@fovea/process/backoff";
import { permissionFlags } from "@fovea/process/permissions";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { FetchFirstOptions } from "../fetch_first.ts";
import { findModel, ModelUnavailable } from "../fetch_model.ts";
import type { ModelEntry } from "../manifest.ts";
import { fetchPermissions } from "../permissions.ts";
import type { FetchRequest, Message } from "./messages.ts";

const PROGRAM = fileURLToPath(new URL("./main.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** The pause before another process follows one that ended without a result. */
const RESTART_PAUSE: Backoff = { firstMs: 1000, factor: 2, maxMs: 60_000 };

export type ChildProcessOptions = Pick<
  FetchFirstOptions,
  "modelsDir" | "mirror" | "signal" | "onNotice" | "onProgress" | "onFailure"
>;

/** The only program that a caller of {@link fetchInChildProcess} must be allowed to run. */
export const FETCH_PROGRAM: string = Deno.execPath();

/**
 * As {@link fetchFirst}, in a process that ends with this one, however this one ends. Where the best
 * model lies in MODELS_DIR there is no process.
 *
 * @throws {ModelUnavailable} when every source of every model has refused it again and again
 * @throws the signal's reason when it aborts
 */
export async function fetchInChildProcess(
  entries: readonly ModelEntry[],
  options: ChildProcessOptions,
): Promise<{ entry: ModelEntry; path: string }> {
  const { modelsDir, signal, onNotice } = options;
  const [best] = entries;
  // If the folder can't be read, the process says what is wrong with it.
  const path = best === undefined ? null : await findModel(best, modelsDir).catch(() => null);
  if (best !== undefined && path !== null) return { entry: best, path };
  for (let tries = 1;; tries++) {
    const last = await runProcess(entries, options);
    signal?.throwIfAborted();
    if (last?.kind === "fetched") return { entry: named(last.model, entries), path: last.path };
    if (last?.kind === "unavailable") throw new ModelUnavailable(last.why, true);
    onNotice?.("the process that fetches models ended before it had one: starting another");
    await pause(pauseBefore(RESTART_PAUSE, tries, Math.random), undefined, { signal })
      .catch(() => signal?.throwIfAborted());
  }
}

/** @returns the last message; undefined where there is none */
async function runProcess(
  entries: readonly ModelEntry[],
  { modelsDir, mirror, signal, onNotice, onProgress, onFailure }: ChildProcessOptions,
): Promise<Message | undefined> {
  const process = new Deno.Command(FETCH_PROGRAM, {
    args: [
      ...["run", "--quiet", `--config=${CONFIG}`],
      ...permissionFlags(fetchPermissions(modelsDir)),
      PROGRAM,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = process.stdin.getWriter();
  const end = () => void input.close().catch(() => {/* It has ended already. */});
  signal?.addEventListener("abort", end);
  try {
    const request: FetchRequest = { models: entries.map(({ name }) => name), modelsDir, mirror };
    await input.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`)).catch(end);
    let message: Message | undefined;
    for await (const line of createInterface({ input: Readable.from(process.stdout) })) {
      message = JSON.parse(line) as Message;
      if (message.kind === "notice") onNotice?.(message.sentence);
      if (message.kind === "progress") {
        onProgress?.(named(message.model, entries), message.received);
      }
      if (message.kind === "failure") {
        onFailure?.(named(message.model, entries), message.why, message.pauseMs);
      }
    }
    return message;
  } finally {
    signal?.removeEventListener("abort", end);
    end();
    await process.status;
  }
}

function named(name: string, entries: readonly ModelEntry[]): ModelEntry {
  return entries.find((entry) => entry.name === name)!;
}
