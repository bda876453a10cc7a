/**
 * Files that a setting or an option names: tokens, and certificates of issuers.
 *
 * @module
 */
import { reasonOf } from "./file_error.ts";

/** Such a file is of no use. */
export class NamedFileError extends Error {
  override name = "NamedFileError";

  /**
   * @param namedBy the setting or the option
   * @param fault what is wrong with it, as in "can't be read: no such file"
   */
  constructor(readonly file: string, readonly namedBy: string, readonly fault: string) {
    super(`${file} (${namedBy}) ${fault}`);
  }
}

/**
 * Gives the bearer token as it is now; undefined where the services want none.
 *
 * @throws {NamedFileError}
 */
export type TokenSource = () => Promise<string | undefined>;

/**
 * The token of `FOVEA_TOKEN`, or that in the file that `FOVEA_TOKEN_FILE` names, which is read anew
 * whenever it has changed: tokens that live for minutes are renewed there.
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
      throw new NamedFileError(file, "FOVEA_TOKEN_FILE", `can't be read: ${reasonOf(error)}`);
    }
  };
}

/**
 * Reads a PEM file of issuers of certificates.
 *
 * @param namedBy the setting or the option that names it
 * @returns its text, every certificate of it
 * @throws {NamedFileError}
 */
export async function readIssuers(file: string, namedBy: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw new NamedFileError(file, namedBy, `can't be read: ${reasonOf(error)}`);
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new NamedFileError(file, namedBy, "has no certificate: expected a PEM file");
}
