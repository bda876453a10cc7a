/**
 * `--repair`: what doesn't match goes out of the way, and nothing is thrown away.
 *
 * @module
 */
import type { Finding } from "./check.ts";

/**
 * Moves the file of a finding into the store's `quarantine/`.
 *
 * @param folder of the store, which nobody else may be using
 * @returns where it lies now, relative to the store; null where there is no file to move
 */
export async function quarantine(folder: string, { kind, path }: Finding): Promise<string | null> {
  if (path === null || kind === "missing") return null;
  // What was put there earlier under the same name stays.
  const place = `quarantine/${Date.now()}-${path.replace("files/", "")}`;
  await Deno.mkdir(`${folder}/quarantine`, { recursive: true });
  await Deno.rename(`${folder}/${path}`, `${folder}/${place}`);
  return place;
}
