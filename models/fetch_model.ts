/**
 * How a model gets into MODELS_DIR. It may be there already; else it comes from MODEL_MIRROR, or from
 * where the manifest says. In each case it gets its name only when its digest is the manifest's.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import { join } from "node:path";
import { TOWERS } from "./clip_tower.ts";
import { digestOf, mismatch } from "./digest.ts";
import { download } from "./download.ts";
import { type ModelEntry, MODELS } from "./manifest.ts";
import { PartialFile } from "./partial_file.ts";
import { publicMessage } from "@fovea/contract";
import { SourceRefused } from "./source_refused.ts";
import { takeFromTarball } from "./tarball.ts";

export interface FetchOptions {
  /** MODELS_DIR; made where it is missing. */
  modelsDir: string;
  /** MODEL_MIRROR: a folder, or an http(s) URL, with files by their manifest name. */
  mirror?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the bytes there are and the bytes expected. */
  onProgress?: ((received: number, total: number) => void) | undefined;
  /** Called with a sentence for the log, such as when a source is tried or fails. */
  onNotice?: ((sentence: string) => void) | undefined;
  fetch?: typeof fetch | undefined;
}

/** No source gave the model. */
export class ModelUnavailable extends Problem {
  /** Every source refused it: waiting does not help. False where what failed may pass by itself. */
  readonly refused: boolean;

  constructor(detail: string, refused: boolean) {
    super("model_unavailable", detail);
    this.refused = refused;
  }
}

interface Source {
  /** Its name in messages. */
  name: string;
  fill(partial: PartialFile): Promise<void>;
}

/** Of system errors of MODELS_DIR, those that stay until somebody changes it. */
const PERMANENT_CODES = ["EACCES", "ENOTDIR", "EPERM", "EROFS"];

/** The path of a model that lies verified in MODELS_DIR; null where it doesn't. */
export async function findModel(entry: ModelEntry, modelsDir: string): Promise<string | null> {
  const path = join(modelsDir, entry.file);
  const digest = await digestOf(path);
  return digest !== null && mismatch(entry.file, digest, entry) === null ? path : null;
}

/**
 * Gets a model.
 *
 * A wrong file under its name is moved aside, to `<file>.wrong`. Processes that fetch the same model
 * at once take turns, and only the first one fetches.
 *
 * @returns the path of the verified file in MODELS_DIR
 * Each source is tried once; {@link fetchFirst} goes on trying.
 *
 * @throws {ModelUnavailable} saying what was tried, why each failed, and the ways out
 * @throws the signal's reason when it aborts
 */
export async function fetchModel(entry: ModelEntry, options: FetchOptions): Promise<string> {
  const { modelsDir, signal, onNotice } = options;
  try {
    const found = await findModel(entry, modelsDir);
    if (found !== null) return found;
    await Deno.mkdir(modelsDir, { recursive: true });
    await using partial = await PartialFile.open(join(modelsDir, entry.file), entry, {
      signal,
      onProgress: options.onProgress,
      onWait: () => onNotice?.(`another process is fetching ${entry.name}: waiting for it`),
    });
    if (partial.received > 0) options.onProgress?.(partial.received, entry.bytes);
    // Another process may have put it there while this one waited for its turn.
    if (await isThere(entry, partial.path, onNotice)) return partial.path;
    await fillFromAny(partial, entry, options);
    return partial.path;
  } catch (error) {
    signal?.throwIfAborted();
    // What a source says is a problem already: a system's error here is one of MODELS_DIR.
    if (!(error instanceof Error && "code" in error) || error instanceof Problem) throw error;
    throw new ModelUnavailable(
      `Cannot fetch the model ${entry.name}: MODELS_DIR can't be used: ${publicMessage(error)}`,
      PERMANENT_CODES.includes(String(error.code)),
    );
  }
}

/** Looks for the right file; a wrong one it moves aside. */
async function isThere(
  entry: ModelEntry,
  path: string,
  onNotice: FetchOptions["onNotice"],
): Promise<boolean> {
  const digest = await digestOf(path);
  if (digest === null) return false;
  const wrong = mismatch(entry.file, digest, entry);
  if (wrong === null) return true;
  await Deno.rename(path, `${path}.wrong`);
  onNotice?.(`${wrong}: moved aside to ${entry.file}.wrong`);
  return false;
}

async function fillFromAny(
  partial: PartialFile,
  entry: ModelEntry,
  options: FetchOptions,
): Promise<void> {
  const failures: string[] = [];
  let refused = true;
  for (const source of sourcesOf(entry, options)) {
    if (failures.length > 0) {
      options.onNotice?.(`${entry.name} can't be had from ${failures.at(-1)}`);
    }
    options.onNotice?.(
      `${entry.name}: fetching ${megabytes(entry.bytes)} from ${source.name}` +
        (partial.received > 0 ? `, of which ${megabytes(partial.received)} are there` : ""),
    );
    try {
      await fillFrom(source, partial);
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      refused &&= error instanceof SourceRefused;
      failures.push(`${source.name} (${publicMessage(error)})`);
    }
  }
  throw new ModelUnavailable(
    `Cannot fetch the model ${entry.name} from ${failures.join(", nor from ")}: ${waysOut(entry)}`,
    refused,
  );
}

async function fillFrom(source: Source, partial: PartialFile): Promise<void> {
  const resumed = partial.received > 0;
  await source.fill(partial);
  if (resumed && partial.mismatch() !== null) {
    // What an earlier run left may be wrong.
    await partial.restart();
    await source.fill(partial);
  }
  await partial.finish();
}

/** The sources, in the order in which they are tried. */
function sourcesOf(entry: ModelEntry, { mirror, signal, fetch }: FetchOptions): Source[] {
  const sources: Source[] = [];
  if (mirror !== undefined && entry.source.kind !== "generated") {
    const name = "MODEL_MIRROR";
    if (/^https?:\/\//.test(mirror)) {
      const url = `${mirror.replace(/\/+$/, "")}/${entry.file}`;
      sources.push({ name, fill: (partial) => download(partial, url, { signal, fetch }) });
    } else {
      sources.push({ name, fill: (partial) => copy(partial, mirror, entry.file, signal) });
    }
  }
  const { source } = entry;
  switch (source.kind) {
    case "http":
      sources.push({
        name: new URL(source.url).host,
        fill: (partial) => download(partial, source.url, { signal, fetch }),
      });
      break;
    case "npm":
      sources.push({
        name: `the npm package ${source.package}@${source.version}`,
        fill: (partial) => takeFromTarball(partial, source, signal),
      });
      break;
    case "generated":
      sources.push({ name: "its generator", fill: (partial) => generate(partial, entry.name) });
      break;
  }
  return sources;
}

async function copy(
  partial: PartialFile,
  folder: string,
  fileName: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(join(folder, fileName));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new SourceRefused(`has no ${fileName}`);
    throw error;
  }
  await partial.restart();
  for await (const chunk of file.readable) {
    signal?.throwIfAborted();
    await partial.append(chunk);
  }
}

async function generate(partial: PartialFile, name: string): Promise<void> {
  const write = TOWERS[name];
  if (write === undefined) throw new SourceRefused(`knows no tower ${name}`);
  await partial.restart();
  await partial.append(write());
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function waysOut(entry: ModelEntry): string {
  const ways = [
    `put ${entry.file} into MODELS_DIR`,
    "set MODEL_MIRROR to a folder or URL that has it",
  ];
  const fixture = MODELS.find((model) =>
    model.task_type === entry.task_type && model.setting !== undefined
  );
  if (fixture !== undefined && fixture !== entry) {
    ways.push(
      `set ${fixture.setting}=${fixture.aliases[0] ?? fixture.name}, whose results mean nothing`,
    );
  }
  return ways.join(", or ");
}
