/**
 * `deno task models`: fetches models ahead of time, or shows which there are.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { digestOf, mismatch } from "./digest.ts";
import { fetchModel } from "./fetch_model.ts";
import { type ModelEntry, MODELS } from "./manifest.ts";
import { openProgress } from "./progress.ts";

const HELP = `Usage: ./fovea models [name…] [--list]

Fetches models into MODELS_DIR; each is verified by its digest before it gets its name. Without
names it fetches all that the services may choose by themselves: for embeddings CLIP (352 MB), for
faces YuNet, and UltraFace, which stands in where YuNet can't be had.

  --list   show all models, and which are there; fetch none
  --help   this

  MODELS_DIR     where models lie; default ./models/cache
  MODEL_MIRROR   a folder or URL looked into first, files by the names that --list shows

Exit code: 0 all are there, 1 some are not, 2 wrong usage.`;

async function main(args: string[]): Promise<number> {
  const modelsDir = Deno.env.get("MODELS_DIR") || "./models/cache";
  let chosen: ModelEntry[];
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { list: { type: "boolean" }, help: { type: "boolean" } },
      allowPositionals: true,
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    chosen = positionals.length > 0 ? positionals.map(modelNamed) : [];
    if (values.list) {
      await list(chosen.length > 0 ? chosen : MODELS, modelsDir);
      return 0;
    }
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  if (chosen.length === 0) chosen = MODELS.filter(({ auto }) => auto);
  let missing = 0;
  for (const entry of chosen) if (!await get(entry, modelsDir)) missing++;
  return missing === 0 ? 0 : 1;
}

function modelNamed(name: string): ModelEntry {
  const entry = MODELS.find((model) => model.name === name || model.aliases.includes(name));
  if (entry !== undefined) return entry;
  const names = MODELS.map((model) => model.name);
  throw new RangeError(`Cannot fetch the model "${name}": it is none of ${names.join(", ")}`);
}

async function get(entry: ModelEntry, modelsDir: string): Promise<boolean> {
  const progress = openProgress(entry.name);
  try {
    const path = await fetchModel(entry, {
      modelsDir,
      mirror: Deno.env.get("MODEL_MIRROR") || undefined,
      onProgress: progress.update,
      onNotice: progress.say,
    });
    progress.end();
    console.log(`${entry.name}: verified, ${path}`);
    if (entry.note !== undefined) console.error(`${entry.name} is ${entry.note}`);
    return true;
  } catch (error) {
    progress.say((error as Error).message);
    return false;
  }
}

async function list(entries: readonly ModelEntry[], modelsDir: string): Promise<void> {
  const rows = [["NAME", "TASK", "CHOSEN BY", "MB", "LICENCE", "FILE", "STATE"]];
  for (const entry of entries) {
    rows.push([
      entry.name,
      entry.task_type,
      entry.auto ? "auto" : [entry.name, ...entry.aliases].at(-1)!,
      (entry.bytes / 1e6).toFixed(1),
      entry.licence,
      entry.file,
      await stateOf(entry, modelsDir),
    ]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    console.log(row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd());
  }
}

async function stateOf(entry: ModelEntry, modelsDir: string): Promise<string> {
  const digest = await digestOf(`${modelsDir}/${entry.file}`);
  if (digest === null) return "missing";
  return mismatch(entry.file, digest, entry) === null ? "verified" : "wrong";
}

if (import.meta.main) Deno.exit(await main(Deno.args));
