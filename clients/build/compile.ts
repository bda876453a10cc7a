/**
 * Makes the clients' binaries, `dist/embed-client` and `dist/face-client`: each is bundled into one
 * file, and that is put on top of a base runtime.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { hasTwin, isTwin, takeTwin, TWIN_SOURCE } from "./base_runtime.ts";
import { layOutCodecs } from "./codecs.ts";
import { type ClientName, permissionsOf } from "./permissions.ts";

const PROGRAM = fileURLToPath(new URL("../program/", import.meta.url));
export const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
/** What later runs need: bundles, decoders, what each binary was made of, and the twin if it was taken. */
const CACHE = `${DIST}.cache/`;
const TWIN = `${CACHE}denort-${Deno.version.deno}`;

/** For Deno's download of its base runtime, some 40 MB; a firewall may leave it hanging. */
const DOWNLOAD_LIMIT_MS = 45_000;

const CLIENTS = ["embed-client", "face-client"] as const;

interface Base {
  /** As the user is told of it. */
  name: string;
  /** Unset for Deno's own. */
  path?: string;
}

/** Told what is being done, a line at a time. */
export type Say = (line: string) => void;

/**
 * Compiles those clients whose binary is not there or was made of something else.
 *
 * @throws {Error} saying what is in the way, and the ways around it
 */
export async function compileClients(say: Say): Promise<void> {
  await Deno.mkdir(CACHE, { recursive: true });
  const outdated: Binary[] = [];
  for (const name of CLIENTS) {
    const binary = await Binary.bundled(name);
    if (!await binary.isUpToDate()) outdated.push(binary);
  }
  if (outdated.length === 0) return say("dist/embed-client and dist/face-client are up to date");
  const base = await chooseBase();
  say(`base runtime: ${base.name}`);
  for (const binary of outdated) {
    await binary.compile(base);
    say(`compiled dist/${binary.name}`);
  }
}

/** One client on its way to a binary. */
class Binary {
  readonly name: ClientName;
  readonly #bundle: string;
  readonly #flags: string[];
  /** Changes with everything that the binary is made of. */
  readonly #recipe: string;

  private constructor(name: ClientName, bundle: string, flags: string[], recipe: string) {
    this.name = name;
    this.#bundle = bundle;
    this.#flags = flags;
    this.#recipe = recipe;
  }

  static async bundled(name: ClientName): Promise<Binary> {
    const bundle = `${CACHE}bundle/${name}.cjs`;
    // CommonJS, since the libraries' calls of require() have no meaning in a module.
    const flags = ["--quiet", "--minify", "--format=cjs", `--output=${bundle}`];
    await deno(["bundle", ...flags, `${name.replace("-", "_")}.ts`]);
    const codecs = await layOutCodecs(name, CACHE);
    const compileFlags = [...codecs.flags, ...permissionsOf(name)];
    const recipe = createHash("sha256");
    for (const file of [bundle, ...codecs.files]) recipe.update(await Deno.readFile(file));
    recipe.update(JSON.stringify([Deno.version.deno, Deno.env.get("DENORT_BIN"), compileFlags]));
    return new Binary(name, bundle, compileFlags, recipe.digest("hex"));
  }

  async isUpToDate(): Promise<boolean> {
    try {
      const { size } = await Deno.stat(DIST + this.name);
      return await Deno.readTextFile(`${CACHE}${this.name}.made`) === `${this.#recipe} ${size}`;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  async compile(base: Base): Promise<void> {
    await compileFile(this.#bundle, DIST + this.name, base, { flags: this.#flags });
    const { size } = await Deno.stat(DIST + this.name);
    await Deno.writeTextFile(`${CACHE}${this.name}.made`, `${this.#recipe} ${size}`);
  }
}

/** The first base runtime that can be had, cheapest first. */
async function chooseBase(): Promise<Base> {
  const given = Deno.env.get("DENORT_BIN");
  if (given) return { name: `${given} (DENORT_BIN)`, path: given };
  const twin = { name: `the one in ${TWIN_SOURCE}`, path: TWIN };
  if (await isTwin(TWIN)) return twin;

  const own = { name: "Deno's own" };
  const failures: string[] = [];
  try {
    await tryOut(own);
    return own;
  } catch (error) {
    failures.push(`Deno's own: ${lastLine(error)}`);
  }
  try {
    if (!hasTwin()) throw new Error("only for Deno 2.7.11 on 64-bit x86 Linux");
    await takeTwin(TWIN);
    return twin;
  } catch (error) {
    failures.push(`${TWIN_SOURCE}: ${lastLine(error)}`);
  }
  throw new Error(
    `Cannot compile the clients: no base runtime can be had\n  ${failures.join("\n  ")}\n` +
      `Let this machine reach dl.deno.land, or its npm registry, or set DENORT_BIN to the path of ` +
      `denort ${Deno.version.deno} (from denort-${Deno.build.target}.zip of that Deno release)`,
  );
}

/** Compiles a program of nothing, which makes Deno download what it lacks. */
async function tryOut(base: Base): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "fovea-compile-" });
  try {
    await Deno.writeTextFile(`${folder}/nothing.cjs`, "");
    const signal = AbortSignal.timeout(DOWNLOAD_LIMIT_MS);
    await compileFile(`${folder}/nothing.cjs`, `${folder}/nothing`, base, { signal });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function compileFile(
  program: string,
  output: string,
  base: Base,
  { flags = [], signal }: { flags?: string[]; signal?: AbortSignal },
): Promise<void> {
  // The bundle needs neither type checks nor the workspace.
  const bare = ["--quiet", "--no-check", "--no-config", `--output=${output}`];
  await deno(["compile", ...bare, ...flags, program], {
    ...(base.path !== undefined && { env: { DENORT_BIN: base.path } }),
    ...(signal !== undefined && { signal }),
  });
}

async function deno(args: string[], options: Deno.CommandOptions = {}): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: PROGRAM,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    ...options,
  }).output();
  if (success) return;
  if (options.signal?.aborted) throw new Error(`not done within ${DOWNLOAD_LIMIT_MS / 1000} s`);
  throw new Error(`Cannot run deno ${args[0]}: ${new TextDecoder().decode(stderr).trim()}`);
}

/** Where Deno says what it comes down to. */
function lastLine(error: unknown): string {
  return (error as Error).message.split("\n").at(-1)?.replace(/^\s*\d+: /, "").trim() ?? "";
}

if (import.meta.main) {
  try {
    await compileClients((line) => console.log(line));
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
