/**
 * The runtime that `deno compile` puts a program on top of: one that the user names, or Deno's own.
 *
 * The last resort, where only npm can be reached, is a twin of Deno's own. It comes inside an npm
 * package of others, a program that was itself made with `deno compile`. Only the Deno of the same
 * version can put a program on top of it, so that Deno is taken from npm too where another one runs.
 *
 * @module
 */
import { dirname } from "node:path";
import { connectionFailure } from "@fovea/contract";
import { createHash } from "node:crypto";
import { compileFile, runDeno, type Say } from "./deno_command.ts";

export interface BaseRuntime {
  /** Its name in messages. */
  name: string;
  /** Unset for Deno's own. */
  path?: string;
  /** The Deno that fits it; unset for the one that runs this. */
  deno?: string;
}

/** What the twin is, and where it is found. */
const TWIN = {
  deno: "2.7.11",
  target: "x86_64-unknown-linux-gnu",
  package: "@stdy/cli-linux-x64",
  version: "0.22.2",
  /** Within the package: the runtime, then the program it was compiled with. */
  file: "bin/steady",
  /** Of the runtime alone. */
  sha256: "f12d5d3886d5ea138304fb8d67d7396cfbedf53656676132152cb89f3fa4d8e6",
};

/** The Deno that fits the twin. */
const TWIN_DENO = {
  package: "@deno/linux-x64-glibc",
  version: TWIN.deno,
  file: "deno",
  sha256: "e518fbc96877fbc2b37820ec54a02e473166cb25a5d4d627ffde37360fd7d210",
};

/**
 * Limits of Deno's own download of some 40 MB, which a firewall may block without an answer. The limit
 * is short where there is another way.
 */
const DOWNLOAD_LIMIT_MS = 300_000;
const DOWNLOAD_LIMIT_WITH_TWIN_MS = 15_000;

/**
 * Finds a base runtime for the Deno that runs this.
 *
 * @param cache a folder, its name ending in "/", where a twin is kept once it was taken
 * @param say is called with the reason why Deno's own is not taken, and with what is taken instead
 * @throws {Error} saying what is in the way, and the ways around it
 */
export async function chooseBaseRuntime(cache: string, say: Say): Promise<BaseRuntime> {
  const given = Deno.env.get("DENORT_BIN");
  if (given) return { name: `${given} (DENORT_BIN)`, path: given };
  const failures: string[] = [];
  try {
    await tryOut({});
    return { name: "Deno's own" };
  } catch (error) {
    failures.push(`Deno's own can't be downloaded from dl.deno.land: ${reasonOf(error)}`);
    say(failures[0]!);
  }
  const source = `the npm package ${TWIN.package} ${TWIN.version}`;
  try {
    if (!hasTwin()) throw new Error("only for 64-bit x86 Linux");
    return {
      ...await twinIn(cache),
      name: `the one that ${source} was compiled with, a program of others: of its ${TWIN.file} ` +
        `nothing but the part that is Deno ${TWIN.deno}, with sha256 ${TWIN.sha256} as expected` +
        (Deno.version.deno === TWIN.deno ? "" : `, and Deno ${TWIN.deno} of npm to compile with`),
    };
  } catch (error) {
    failures.push(`the one in ${source}: ${reasonOf(error)}`);
  }
  throw new Error(
    `Cannot compile the clients: there is no base runtime\n  ${failures.join("\n  ")}\n` +
      `Let this machine reach dl.deno.land, or set DENORT_BIN to the path of denort ` +
      `${Deno.version.deno} (from denort-${Deno.build.target}.zip of that Deno release)` +
      (hasTwin() ? ", or let it reach its npm registry" : ""),
  );
}

/** Compiles a program of nothing, which makes Deno download what it lacks. */
async function tryOut(base: { path?: string }): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "fovea-compile-" });
  try {
    await Deno.writeTextFile(`${folder}/nothing.cjs`, "");
    const limitMs = hasTwin() ? DOWNLOAD_LIMIT_WITH_TWIN_MS : DOWNLOAD_LIMIT_MS;
    await compileFile(`${folder}/nothing.cjs`, `${folder}/nothing`, base, { limitMs });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The reason in plain words where the connection failed; otherwise the line in which Deno names it. */
function reasonOf(error: unknown): string {
  const { message } = error as Error;
  const plain = connectionFailure(error);
  return plain === message ? message.split("\n").at(-1)!.replace(/^\s*\d+: /, "").trim() : plain;
}

/** Whether a base runtime is there, or can be taken from npm. */
export async function canTakeBaseRuntime(): Promise<boolean> {
  if (hasTwin() || Deno.env.get("DENORT_BIN")) return true;
  return await tryOut({}).then(() => true, () => false);
}

/** Whether there is a twin for this machine. */
function hasTwin(): boolean {
  return Deno.build.target === TWIN.target;
}

/**
 * The twin, and the Deno that fits it, taken where they are not there yet.
 *
 * @throws {Error} where a package can't be fetched, or has other content
 */
async function twinIn(cache: string): Promise<{ path: string; deno?: string }> {
  const path = `${cache}denort-${TWIN.deno}`;
  if (!await isFile(path, TWIN.sha256)) {
    await takeFromPackage(TWIN, path, (whole) => whole.subarray(0, elfSize(whole)));
  }
  if (Deno.version.deno === TWIN.deno) return { path };
  const deno = `${cache}deno-${TWIN.deno}`;
  if (!await isFile(deno, TWIN_DENO.sha256)) await takeFromPackage(TWIN_DENO, deno);
  return { path, deno };
}

/** Whether a file is the one of that digest, every byte of it. */
export async function isFile(path: string, digest: string): Promise<boolean> {
  try {
    return sha256(await Deno.readFile(path)) === digest;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Takes a program out of an npm package, with the user's npm settings, and writes it to `path`.
 *
 * @param partOf what of the file is the program
 * @throws {Error} where the package can't be fetched, or has other content
 */
async function takeFromPackage(
  from: { package: string; version: string; file: string; sha256: string },
  path: string,
  partOf = (whole: Uint8Array<ArrayBuffer>) => whole,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "fovea-base-" });
  try {
    const dependencies = { [from.package]: from.version };
    await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify({ dependencies }));
    await runDeno(["install", "--quiet", "--no-lock", "--node-modules-dir=auto"], { cwd: folder });
    const file = `${folder}/node_modules/${from.package}/${from.file}`;
    const program = partOf(await Deno.readFile(file));
    const digest = sha256(program);
    if (digest !== from.sha256) {
      throw new Error(`${from.file} has sha256 ${digest}, expected ${from.sha256}`);
    }
    await Deno.mkdir(dirname(path), { recursive: true });
    // It gets its name only when it is whole, because a later run takes what lies there.
    await Deno.writeFile(`${path}.part`, program, { mode: 0o755 });
    await Deno.rename(`${path}.part`, path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Bytes of an ELF executable up to the end of its section headers, the last thing in the file that a
 * linker writes; what `deno compile` appends comes after (ELF-64 object file format, file header).
 */
export function elfSize(bytes: Uint8Array): number {
  const header = new DataView(bytes.buffer, bytes.byteOffset, 64);
  if (header.getUint32(0) !== 0x7f454c46) throw new Error("not an ELF file");
  const sections = Number(header.getBigUint64(0x28, true));
  const sectionBytes = header.getUint16(0x3a, true);
  const sectionCount = header.getUint16(0x3c, true);
  return sections + sectionBytes * sectionCount;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
