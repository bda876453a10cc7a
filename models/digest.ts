/**
 * A model's file is identified by its length and its SHA-256.
 *
 * @module
 */
import { createHash } from "node:crypto";

export interface Digest {
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
}

/** Reads a file through; null where there is none. */
export async function digestOf(path: string): Promise<Digest | null> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of file.readable) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** What is wrong with a file's content; null where nothing is. */
export function mismatch(file: string, got: Digest, expected: Digest): string | null {
  if (got.sha256 === expected.sha256 && got.bytes === expected.bytes) return null;
  return `${file} has sha256 ${got.sha256} (${got.bytes} bytes), ` +
    `expected ${expected.sha256} (${expected.bytes} bytes)`;
}
