/**
 * The certificate and key that a service itself speaks TLS with.
 *
 * @module
 */
import { systemWords } from "@fovea/process/file_error";
import { type CommonSettings, SettingsError } from "@fovea/process/settings";

/** PEM texts. */
export interface TlsKeyPair {
  cert: string;
  key: string;
}

/**
 * @returns undefined where the service speaks plain HTTP
 * @throws {SettingsError} where one of the two files is missing, can't be read or is something else
 */
export async function readTls(
  settings: Pick<CommonSettings, "TLS_CERT_FILE" | "TLS_KEY_FILE">,
): Promise<TlsKeyPair | undefined> {
  const { TLS_CERT_FILE, TLS_KEY_FILE } = settings;
  if (TLS_CERT_FILE === undefined && TLS_KEY_FILE === undefined) return undefined;
  if (TLS_CERT_FILE === undefined || TLS_KEY_FILE === undefined) {
    throw new SettingsError("Cannot start: TLS_CERT_FILE and TLS_KEY_FILE belong together");
  }
  return {
    cert: await readPem("TLS_CERT_FILE", TLS_CERT_FILE, "CERTIFICATE", "certificate"),
    key: await readPem("TLS_KEY_FILE", TLS_KEY_FILE, "PRIVATE KEY", "private key"),
  };
}

async function readPem(name: string, path: string, label: string, what: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const reason = systemWords(error);
    throw new SettingsError(`Cannot start: ${path} (${name}) can't be read: ${reason}`);
  }
  if (new RegExp(`-----BEGIN [A-Z ]*${label}-----`).test(text)) return text;
  throw new SettingsError(`Cannot start: ${path} (${name}) has no ${what}: expected a PEM file`);
}

/** @throws {SettingsError} where the certificate and the key don't fit, or are damaged */
export function listenTls(
  address: { hostname: string; port: number },
  tls: TlsKeyPair,
): Deno.TlsListener {
  try {
    return Deno.listenTls({ ...address, ...tls, alpnProtocols: ["h2", "http/1.1"] });
  } catch (error) {
    if (
      error instanceof Deno.errors.InvalidData || (error as Error).name === "TypeError" ||
      (error as Error).constructor === Error
    ) {
      throw new SettingsError(
        `Cannot start: TLS_CERT_FILE and TLS_KEY_FILE do not fit: ${(error as Error).message}`,
      );
    }
    throw error;
  }
}
