/**
 * The runtime that `deno compile` puts a program on top of, for machines where Deno can't download
 * its own: a twin of it comes inside an npm package that was itself made with `deno compile`.
 *
 * @module
 */
import { createHash } from "node:crypto";

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

/** Whether the twin fits the Deno that runs this. */
export function hasTwin(): boolean {
  return Deno.version.deno === TWIN.deno && Deno.build.target === TWIN.target;
}

/** Where the twin comes from, for messages. */
export const TWIN_SOURCE = `npm:${TWIN.package}@${TWIN.version}`;

/** Whether a file is the twin, every byte of it. */
export async function isTwin(path: string): Promise<boolean> {
  try {
    return sha256(await Deno.readFile(path)) === TWIN.sha256;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Takes the twin out of its package, with the user's npm settings, and writes it to `path`.
 *
 * @throws {Error} where the package can't be had, or holds something else
 */
export async function takeTwin(path: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "fovea-base-" });
  try {
    const dependencies = { [TWIN.package]: TWIN.version };
    await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify({ dependencies }));
    await install(folder);
    const whole = await Deno.readFile(`${folder}/node_modules/${TWIN.package}/${TWIN.file}`);
    const runtime = whole.subarray(0, elfSize(whole));
    const digest = sha256(runtime);
    if (digest !== TWIN.sha256) {
      throw new Error(`${TWIN.file} has sha256 ${digest}, expected ${TWIN.sha256}`);
    }
    // Named only when whole: a later run takes what lies there.
    await Deno.writeFile(`${path}.part`, runtime, { mode: 0o755 });
    await Deno.rename(`${path}.part`, path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function install(folder: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet", "--no-lock", "--node-modules-dir=auto"],
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
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
