/**
 * The pictures that the user names, as files.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import { basename } from "node:path";
import { reasonOf } from "@fovea/process/file_error";

/** A picture as it was when it was read. All later steps use these bytes. */
export interface PictureFile {
  /** Without its folder. */
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Of the bytes, lower-case hex. */
  sha256: string;
}

/**
 * Makes sure that there is a file that can be read, before anything is sent.
 *
 * @throws {Problem} `usage`
 */
export async function checkPicture(path: string): Promise<void> {
  try {
    using file = await Deno.open(path);
    if ((await file.stat()).isFile) return;
  } catch (error) {
    throw unreadable(error);
  }
  throw new Problem("usage", "it is not a file");
}

/** @throws {Problem} `usage` */
export async function readPicture(path: string): Promise<PictureFile> {
  try {
    const bytes = await Deno.readFile(path);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return { name: basename(path), bytes, sha256: digest.toHex() };
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(error: unknown): Problem {
  if (error instanceof Deno.errors.NotFound) return new Problem("usage", "there is no such file");
  if (error instanceof Deno.errors.PermissionDenied) {
    return new Problem("usage", "the file may not be read: see its permissions");
  }
  return new Problem("usage", `the file can't be read: ${reasonOf(error)}`);
}
