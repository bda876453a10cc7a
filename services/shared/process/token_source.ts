import { Problem } from "@fovea/contract";
import { reasonOf } from "@fovea/process/file_error";

/** Gives the bearer token as it is now; undefined where the services want none. */
export type TokenSource = () => Promise<string | undefined>;

/**
 * The token of `FOVEA_TOKEN`, or that in the file that `FOVEA_TOKEN_FILE` names, which is read anew
 * whenever it has changed: tokens that live for minutes are renewed there while a client waits.
 *
 * @throws {Problem} `usage`, when it is asked for, where the file can't be read
 */
export function tokenSource(
  { token, file }: { token: string | undefined; file: string | undefined },
): TokenSource {
  if (!file) return () => Promise.resolve(token || undefined);
  let read: { changed: string; token: string | undefined } | undefined;
  return async () => {
    try {
      const { mtime, ino, size } = await Deno.stat(file);
      const changed = `${mtime?.getTime()} ${ino} ${size}`;
      if (read?.changed !== changed) {
        read = { changed, token: (await Deno.readTextFile(file)).trim() || undefined };
      }
      return read.token;
    } catch (error) {
      throw new Problem("usage", `${file} (FOVEA_TOKEN_FILE) can't be read: ${reasonOf(error)}`);
    }
  };
}
