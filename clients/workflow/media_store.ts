import { type Item, Problem } from "@fovea/contract";
import { call, type ServiceAddress } from "./service.ts";

/**
 * Stores a picture in media_store; one whose bytes are already there is left as it is.
 *
 * @param path the file, sent under its own name
 * @returns the entity's id, the existing one's for bytes that were there
 * @throws {Problem} what media_store said, `service_unreachable`, or `usage` where the file can't be
 * read
 */
export async function upload(
  mediaStore: ServiceAddress,
  path: string,
  label: string | undefined,
  signal: AbortSignal,
): Promise<number> {
  const form = new FormData();
  form.set("is_collection", "false");
  if (label !== undefined) form.set("label", label);
  form.set("image", new File([await readPicture(path)], path.split(/[\\/]/).at(-1) ?? path));
  try {
    const request = { method: "POST", path: "/entity/", body: form, signal } as const;
    return (await call<Item>(mediaStore, request)).id;
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "duplicate_file") throw error;
    return error.members.entity_id as number;
  }
}

/**
 * Makes sure that there is a file to be read, before anything is sent anywhere.
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
export async function readPicture(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(error: unknown): Problem {
  if (error instanceof Deno.errors.NotFound) return new Problem("usage", "there is no such file");
  if (error instanceof Deno.errors.PermissionDenied) {
    return new Problem("usage", "the file may not be read: see its permissions");
  }
  return new Problem("usage", `the file can't be read: ${(error as Error).message}`);
}
