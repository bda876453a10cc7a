/**
 * Whether the model that a client's jobs need is ready. While it is being fetched no job can begin, and
 * the time limit of a job does not run.
 *
 * @module
 */
import { NamedFileError } from "@fovea/process/named_file";
import { type Info, Problem, type TaskInfo, type TaskType } from "@fovea/contract";
import { pause } from "./abort.ts";
import { readInfo } from "./inference.ts";
import type { Service } from "./service.ts";

/** Only `/info` says how far a model has come. It is read at this interval, while one is fetched. */
const LOOK_INTERVAL_MS = 2_000;

export class ModelReadiness implements Disposable {
  readonly #inference: Service;
  readonly #taskType: TaskType;
  readonly #onProgress: (text: string) => void;
  readonly #listeners = new Set<() => void>();
  readonly #disposed = new AbortController();
  #ready = true;
  #looking = false;

  /** @param onProgress is called with how far the model has come, each time that has changed */
  constructor(inference: Service, taskType: TaskType, onProgress: (text: string) => void) {
    this.#inference = inference;
    this.#taskType = taskType;
    this.#onProgress = onProgress;
  }

  /** False while the model is being fetched. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Calls `listener` whenever `ready` has changed, until what is returned is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes over what inference says of itself, and goes on asking while the model is being fetched. */
  see({ tasks }: Info): void {
    const task = tasks.find(({ task_type }) => task_type === this.#taskType);
    const ready = task?.state !== "preparing";
    if (!ready) {
      this.#onProgress(progressText(task));
      if (!this.#looking) this.#lookOn();
    }
    if (ready === this.#ready) return;
    this.#ready = ready;
    this.#listeners.forEach((listener) => listener());
  }

  /** Asks once, such as after inference was away: it may have begun to fetch anew. */
  async look(): Promise<void> {
    try {
      this.see(await readInfo(this.#inference));
    } catch (error) {
      // Inference is away again or not yet back, or a token is being renewed. The job's own time limit
      // reports what lasts.
      if (!(error instanceof Problem || error instanceof NamedFileError)) throw error;
    }
  }

  async #lookOn(): Promise<void> {
    const { signal } = this.#disposed;
    this.#looking = true;
    try {
      do {
        await pause(LOOK_INTERVAL_MS, signal);
        await this.look();
      } while (!this.#ready);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#looking = false;
    }
  }

  [Symbol.dispose](): void {
    this.#disposed.abort(new Error("disposed"));
  }
}

/** Such as "120 of 352 MB of its model are there, 3 minutes left". */
function progressText({ progress, detail }: TaskInfo): string {
  if (progress === undefined) return `inference is preparing its model: ${detail ?? "jobs wait"}`;
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  const { bytes, total_bytes, seconds_left } = progress;
  const left = seconds_left === null ? "" : `, ${durationText(seconds_left)} left`;
  return `inference is fetching its model: ${megabytes(bytes)} of ${
    megabytes(total_bytes)
  } MB${left}`;
}

function durationText(seconds: number): string {
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} minutes`;
  return `${Math.round(seconds / 3600)} hours`;
}
