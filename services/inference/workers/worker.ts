/**
 * A worker thread: it has the models of all tasks loaded and takes one order at a time, from the
 * entity's id to the result.
 *
 * @module
 */
// First, so that it sees every memory that the others make.
import { wasmMemory } from "./wasm_memory.ts";
import "@fovea/process/empty_environment";
import "./no_silent_exit.ts";
import { Problem, publicMessage, type TaskType } from "@fovea/contract";
import { BrokenOffError, interruptible, limitWork } from "@fovea/process/interruptible";
import { setImmediate } from "node:timers";
import { decode } from "../picture/decode.ts";
import { openMediaStore } from "../media_store.ts";
import { fetchPicture, type PictureSource } from "../picture/fetch.ts";
import { TASKS } from "../tasks/list.ts";
import type { LoadedTask } from "../tasks/task.ts";
import { CANARY_PIXELS, readCanary } from "./canary.ts";
import type {
  Cancel,
  Order,
  Outcome,
  Report,
  StageTimings,
  WorkerJob,
  WorkerSettings,
} from "./messages.ts";
import { warmUp } from "./warm_up.ts";

const loaded = new Map<TaskType, LoadedTask>();
let settings: WorkerSettings | undefined;
let source: PictureSource | undefined;
/** Bytes of WebAssembly memory with all models loaded and warm. */
let memoryAtRest = 0;
/** Stops the job that is being run, at the end of the stage it is in. */
let running: AbortController | undefined;

const thread = self as unknown as {
  onmessage: (message: MessageEvent<Order | Cancel>) => void;
  postMessage(report: Report): void;
};

let last = Promise.resolve();
thread.onmessage = ({ data: order }) => {
  if (order.kind === "cancel") {
    return running?.abort(new Problem("cancelled", "job was cancelled while it was worked on"));
  }
  last = last.then(async () => thread.postMessage(await carryOut(order)));
};

async function carryOut(order: Order): Promise<Report> {
  switch (order.kind) {
    case "start":
      settings = order.settings;
      source = { ...openMediaStore(settings.source), maxBytes: settings.source.maxBytes };
      limitWork(order.limitMs);
      return { kind: "started" };
    case "load":
      return await load(order);
    case "canary":
      return await showCanary(order.task);
    case "run":
      return {
        kind: "ended",
        outcome: await run(order.job),
        growth: wasmMemory() - memoryAtRest,
      };
  }
}

async function load({ task, model, tower }: Order & { kind: "load" }): Promise<Report> {
  try {
    const ready = await TASKS.get(task).load(model, settings?.backend, tower);
    await warmUp(ready);
    loaded.set(task, ready);
    memoryAtRest = wasmMemory();
    return { kind: "loaded" };
  } catch (error) {
    console.error(error);
    return { kind: "cannot_load", detail: publicMessage(error) };
  }
}

async function showCanary(type: TaskType): Promise<Report> {
  try {
    const task = loaded.get(type)!;
    const bytes = await readCanary();
    using picture = await decode(bytes, CANARY_PIXELS, task.minSize);
    return { kind: "canary_answer", answer: await task.prepare(picture, 0, {})() };
  } catch (error) {
    console.error(error);
    return { kind: "canary_failed", detail: publicMessage(error) };
  }
}

async function run({ task: type, entityId, options }: WorkerJob): Promise<Outcome> {
  const timingsMs: StageTimings = { fetch: 0, decode: 0, infer: 0 };
  let sha256: string | null = null;
  running = new AbortController();
  const { signal } = running;
  const timed = async <T>(stage: keyof StageTimings, work: () => Promise<T>): Promise<T> => {
    const from = performance.now();
    try {
      return await work();
    } catch (error) {
      // What a stage says that was broken off is not the reason.
      throw signal.aborted ? signal.reason : error;
    } finally {
      timingsMs[stage] = Math.round((performance.now() - from) * 10) / 10;
    }
  };
  try {
    const task = loaded.get(type);
    if (settings === undefined || source === undefined || task === undefined) {
      throw new Error(`no model loaded for ${type}`);
    }
    const { maxPixels, shrinkWhileDecoding } = settings;
    const from = source;
    const file = await timed("fetch", () => fetchPicture(from, entityId, signal));
    sha256 = file.sha256;
    signal.throwIfAborted();
    const infer = await timed("decode", async () => {
      using picture = await decode(
        file.bytes,
        maxPixels,
        shrinkWhileDecoding ? task.minSize : undefined,
      );
      return interruptible(() => task.prepare(picture, entityId, options));
    });
    // What was said while it was decoded is heard only now.
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    return {
      ok: true,
      sha256,
      result: await timed("infer", () => interruptible(infer)),
      timingsMs,
    };
  } catch (error) {
    if (error instanceof BrokenOffError) {
      const detail = "job took too long, and was broken off";
      return { ok: false, sha256, code: "deadline_exceeded", detail, timingsMs };
    }
    if (error instanceof Problem) {
      return { ok: false, sha256, code: error.code, detail: error.message, timingsMs };
    }
    console.error(error);
    return {
      ok: false,
      sha256,
      code: "internal_error",
      detail: `${type} failed on entity ${entityId}: the service's log says why`,
      timingsMs,
    };
  }
}
