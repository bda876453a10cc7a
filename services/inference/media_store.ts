/**
 * Calls of media_store: one way to name the caller, how long it may take, and what went wrong.
 *
 * @module
 */
import { connectionFailure, Problem } from "@fovea/contract";
import {
  NamedFileError,
  readIssuers,
  type TokenSource,
  tokenSource,
} from "@fovea/process/named_file";
import { publicAddress } from "@fovea/process/public_address";
import { SettingsError } from "@fovea/process/settings_error";

/** The settings of this service that say where media_store is and how to call it. */
export interface MediaStoreSettings {
  MEDIA_STORE_URL: string;
  MEDIA_STORE_CA_FILE?: string | undefined;
  FOVEA_TOKEN?: string | undefined;
  FOVEA_TOKEN_FILE?: string | undefined;
}

/** Where media_store is and how it is called: plain data, for workers too. */
export interface MediaStoreAddress {
  /** Base URL. */
  url: string;
  /** Bearer token, where media_store wants one. */
  token?: string | undefined;
  /** A file with the token, in place of `token`; read anew when it changes. */
  tokenFile?: string | undefined;
  /** PEM: who else may have signed media_store's certificate. */
  issuers?: string | undefined;
}

/** media_store as one thread calls it. */
export interface MediaStore {
  /** Base URL. */
  url: string;
  token?: TokenSource;
  /** Where further issuers of certificates are to be trusted. */
  http?: Deno.HttpClient;
}

/**
 * Where media_store is, by the settings.
 *
 * @throws {SettingsError} where a file that they name is of no use
 */
export async function mediaStoreAddress(
  settings: MediaStoreSettings,
): Promise<MediaStoreAddress> {
  const { MEDIA_STORE_CA_FILE: file } = settings;
  try {
    const address = {
      url: settings.MEDIA_STORE_URL,
      token: settings.FOVEA_TOKEN,
      tokenFile: settings.FOVEA_TOKEN_FILE,
      issuers: file === undefined ? undefined : await readIssuers(file, "MEDIA_STORE_CA_FILE"),
    };
    await openMediaStore(address).token?.();
    return address;
  } catch (error) {
    if (!(error instanceof NamedFileError)) throw error;
    throw new SettingsError(`Cannot start: ${error.message}`);
  }
}

export function openMediaStore({ url, token, tokenFile, issuers }: MediaStoreAddress): MediaStore {
  return {
    url,
    token: tokenSource({ token, file: tokenFile }),
    ...issuers !== undefined && { http: Deno.createHttpClient({ caCerts: [issuers] }) },
  };
}

/** What is read of the body of an answer that is no success, and of what an entity is, bytes. */
const MAX_REFUSAL = 64 * 1024;
const MAX_ITEM = 1024 * 1024;

/**
 * Redirects are not followed: they would take the token elsewhere, and may have no end.
 *
 * @throws {Problem} `media_store_unreachable` where no answer came
 */
export async function callMediaStore(
  { url, token, http }: MediaStore,
  path: string,
  init: RequestInit & { signal: AbortSignal },
): Promise<Response> {
  const headers = new Headers(init.headers);
  try {
    const bearer = await token?.();
    if (bearer !== undefined) headers.set("Authorization", `Bearer ${bearer}`);
    const client = http === undefined ? {} : { client: http };
    return await fetch(`${url}${path}`, { ...init, ...client, headers, redirect: "manual" });
  } catch (error) {
    throw new Problem(
      "media_store_unreachable",
      error instanceof NamedFileError
        // Answers don't name the service's files.
        ? `media_store can't be called: the file that ${error.namedBy} names ${error.fault}`
        : `media_store can't be reached at ${publicAddress(url)}: ${reasonOf(error)}`,
    );
  }
}

function reasonOf(error: unknown): string {
  const reason = connectionFailure(error);
  return reason.startsWith("its certificate")
    ? "its certificate is not trusted here: MEDIA_STORE_CA_FILE names a file of its issuers"
    : reason;
}

/** For media_store to say what an entity's bytes are: somebody waits for an answer. */
const DIGEST_TIMEOUT_MS = 2000;

/** The sha256 of an entity's bytes as they are now, lower-case hex; null where media_store can't say. */
export async function digestOf(mediaStore: MediaStore, entityId: number): Promise<string | null> {
  try {
    const signal = AbortSignal.timeout(DIGEST_TIMEOUT_MS);
    const response = await callMediaStore(mediaStore, `/entity/${entityId}`, { signal });
    const item: { sha256?: unknown } = JSON.parse(
      new TextDecoder().decode(await readAtMost(response, MAX_ITEM)),
    );
    return response.ok && typeof item.sha256 === "string" ? item.sha256 : null;
  } catch {
    return null;
  }
}

/** What an answer that is no success says of itself, as far as it says anything that can be read. */
export async function refusalOf(response: Response): Promise<{ code?: string; detail?: string }> {
  if (response.status >= 300 && response.status < 400) {
    await response.body?.cancel();
    return { detail: "redirects are not followed: set MEDIA_STORE_URL to where it leads" };
  }
  try {
    const said = JSON.parse(new TextDecoder().decode(await readAtMost(response, MAX_REFUSAL)));
    return {
      ...typeof said?.code === "string" && { code: said.code },
      ...typeof said?.detail === "string" && { detail: said.detail },
    };
  } catch {
    return {};
  }
}

/**
 * Reads a body to its end.
 *
 * @throws {RangeError} where it has more bytes than that
 */
export async function readAtMost(
  response: Response,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > maxBytes) throw new RangeError(`answer has more than ${maxBytes} bytes`);
    parts.push(part);
  }
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
