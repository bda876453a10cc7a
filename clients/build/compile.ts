/**
 * Makes the clients' binaries, `dist/embed-client` and `dist/face-client`: each is bundled into one
 * file, and that is put on top of a base runtime.
 *
 * [note: no code cache] By default a compiled program reads and writes V8's code cache under a fixed
 * name in the shared temporary folder, where any local user can lay one for it to run. Without it a
 * start takes 180 ms of a processor, 12 ms more than with it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { type BaseRuntime, chooseBaseRuntime } from "./base_runtime.ts";
import { layOutCodecs } from "./codecs.ts";
import { compileFile, runDeno, type Say } from "./deno_command.ts";
import { type ClientName, permissionsOf } from "./permissions.ts";

const PROGRAM = fileURLToPath(new URL("../program/", import.meta.url));
export const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));

const CLIENTS = ["embed-client", "face-client"] as const;

/**
 * Compiles those clients whose binary is not there or was made of something else.
 *
 * @param folder where they are put, its name ending in "/"
 * @throws {Error} saying what is in the way, and the ways around it
 */
export async function compileClients(say: Say, folder = DIST): Promise<void> {
  await Deno.mkdir(cacheOf(folder), { recursive: true });
  const outdated: Binary[] = [];
  for (const name of CLIENTS) {
    const binary = await Binary.bundled(name, folder);
    if (!await binary.isUpToDate()) outdated.push(binary);
  }
  const binaryPath = (name: ClientName) => `${basename(folder)}/${name}`;
  if (outdated.length === 0) {
    return say(`${CLIENTS.map(binaryPath).join(" and ")} are up to date`);
  }
  const base = await chooseBaseRuntime(cacheOf(DIST), say);
  say(`base runtime: ${base.name}`);
  for (const binary of outdated) {
    await binary.compile(base);
    say(`compiled ${binaryPath(binary.name)}`);
  }
}

/** What later runs need: bundles, decoders, what each binary was made of, and a base runtime. */
function cacheOf(folder: string): string {
  return `${folder}.cache/`;
}

/** One client on its way to a binary. */
class Binary {
  readonly name: ClientName;
  readonly #folder: string;
  readonly #bundle: string;
  readonly #flags: string[];
  /** Changes with everything that the binary is made of. */
  readonly #recipe: string;

  private constructor(
    name: ClientName,
    folder: string,
    { bundle, flags, recipe }: { bundle: string; flags: string[]; recipe: string },
  ) {
    this.name = name;
    this.#folder = folder;
    this.#bundle = bundle;
    this.#flags = flags;
    this.#recipe = recipe;
  }

  static async bundled(name: ClientName, folder: string): Promise<Binary> {
    const bundle = `${cacheOf(folder)}bundle/${name}.cjs`;
    // CommonJS, since the libraries' calls of require() have no meaning in a module.
    const flags = ["--quiet", "--minify", "--format=cjs", `--output=${bundle}`];
    await runDeno(["bundle", ...flags, `${PROGRAM}${name.replace("-", "_")}.ts`]);
    const codecs = await layOutCodecs(name, cacheOf(folder));
    // [note: no code cache]
    const compileFlags = ["--no-code-cache", ...codecs.flags, ...permissionsOf(name)];
    const recipe = createHash("sha256");
    for (const file of [bundle, ...codecs.files]) recipe.update(await Deno.readFile(file));
    recipe.update(JSON.stringify([Deno.version.deno, Deno.env.get("DENORT_BIN"), compileFlags]));
    return new Binary(name, folder, { bundle, flags: compileFlags, recipe: recipe.digest("hex") });
  }

  async isUpToDate(): Promise<boolean> {
    try {
      const { size } = await Deno.stat(this.#path);
      return await Deno.readTextFile(this.#madeOf) === `${this.#recipe} ${size}`;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  async compile(base: BaseRuntime): Promise<void> {
    await compileFile(this.#bundle, this.#path, base, { flags: this.#flags });
    const { size } = await Deno.stat(this.#path);
    await Deno.writeTextFile(this.#madeOf, `${this.#recipe} ${size}`);
  }

  get #path(): string {
    return this.#folder + this.name;
  }

  /** The file that says what the binary was made of. */
  get #madeOf(): string {
    return `${cacheOf(this.#folder)}${this.name}.made`;
  }
}

if (import.meta.main) {
  try {
    await compileClients((line) => console.log(line));
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
