/**
 * The picture decoders that are part of a binary. imagescript reads them from a folder `any` beside the
 * folder of its code. In a bundle, the folder of its code is that of the bundle.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { ClientName } from "./permissions.ts";

const CODECS: Record<ClientName, readonly string[]> = {
  "embed-client": [],
  "face-client": ["jpeg.wasm", "png.wasm"],
};

/**
 * `deno compile` takes a WebAssembly file for a module and wants to know where its imports come from.
 * Nobody imports these as modules: any answer will do.
 */
const IMPORT_MAP = { imports: { env: "data:text/javascript," } };

/** Decoders, laid out for a bundle that lies in a folder within `folder`. */
export interface Codecs {
  files: string[];
  /** Of `deno compile`. */
  flags: string[];
}

/** Puts the decoders that a client needs into `folder`. */
export async function layOutCodecs(client: ClientName, folder: string): Promise<Codecs> {
  const names = CODECS[client];
  if (names.length === 0) return { files: [], flags: [] };
  await Deno.mkdir(`${folder}any`, { recursive: true });
  const files: string[] = [];
  for (const name of names) {
    const source = fileURLToPath(import.meta.resolve(`imagescript/wasm/any/${name}`));
    const file = `${folder}any/${name}`;
    // Not copyFile: what lies in the cache may be read-only, and so would be its copy.
    await Deno.writeFile(file, await Deno.readFile(source));
    files.push(file);
  }
  const importMap = `${folder}import_map.json`;
  await Deno.writeTextFile(importMap, JSON.stringify(IMPORT_MAP));
  const includes = files.map((file) => `--include=${file}`);
  return { files, flags: [`--import-map=${importMap}`, ...includes] };
}
