/**
 * `--check`: whether every file of the store is there and has the bytes that its row says, and
 * whether there are files that nobody needs.
 *
 * It may run beside the service, which adds and removes files meanwhile; so whatever looks wrong is
 * looked at once more before it is said.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Catalogue, type NeededFile } from "./catalogue.ts";

export interface Finding {
  kind: "missing" | "wrong size" | "wrong digest" | "needed by nobody" | "database";
  /** Path of the file, `files/…`; null for the database. */
  path: string | null;
  detail: string;
}

export interface Checked {
  findings: Finding[];
  /** Files that rows name. */
  files: number;
  /** Their sizes together, by their rows. */
  bytes: number;
}

/** A file comes before its row: so long it may be without one. */
const GRACE_MS = 1000;

/**
 * @param folder of the store
 * @throws {Error} where there is no database that can be read
 */
export async function checkStore(folder: string): Promise<Checked> {
  using catalogue = new Catalogue(`${folder}/entities.sqlite`);
  const findings: Finding[] = catalogue.faults()
    .map((detail) => ({ kind: "database", path: null, detail }));
  const needed = catalogue.files();
  for (const file of needed) {
    const finding = await examine(folder, file);
    if (finding !== null && catalogue.needs(file.path)) findings.push(finding);
  }
  findings.push(...await unneeded(folder, needed, catalogue));
  const bytes = needed.reduce((sum, { size }) => sum + size, 0);
  return { findings, files: needed.length, bytes };
}

async function examine(folder: string, file: NeededFile): Promise<Finding | null> {
  const { path, size, sha256, entityId } = file;
  const finding = (kind: Finding["kind"], met: string): Finding => ({
    kind,
    path,
    detail: `${met}: entity ${entityId} needs it`,
  });
  try {
    const met = (await Deno.stat(`${folder}/${path}`)).size;
    if (met !== size) return finding("wrong size", `has ${met} bytes instead of ${size}`);
    const digest = await digestOf(`${folder}/${path}`);
    return digest === sha256 ? null : finding("wrong digest", `has SHA-256 ${digest}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return finding("missing", "is not there");
    throw error;
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of (await Deno.open(path)).readable) hash.update(bytes);
  return hash.digest("hex");
}

async function unneeded(
  folder: string,
  needed: NeededFile[],
  catalogue: Catalogue,
): Promise<Finding[]> {
  const paths = new Set(needed.map(({ path }) => path));
  const present = () => [...Deno.readDirSync(`${folder}/files`)].map(({ name }) => `files/${name}`);
  const suspects = present().filter((path) => !paths.has(path));
  if (suspects.length === 0) return [];
  await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
  const still = new Set(present());
  return suspects.filter((path) => still.has(path) && !catalogue.needs(path))
    .map((path) => ({ kind: "needed by nobody", path, detail: "no entity has it" }));
}
