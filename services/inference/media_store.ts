/**
 * Calls of media_store: one way to say who is calling, how long it may take, and what went wrong.
 *
 * @module
 */
import { connectionFailure, Problem } from "@fovea/contract";

export interface MediaStore {
  /** Base URL. */
  url: string;
  /** Bearer token, where media_store wants one. */
  token?: string | undefined;
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
  { url, token }: MediaStore,
  path: string,
  init: RequestInit & { signal: AbortSignal },
): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  try {
    return await fetch(`${url}${path}`, { ...init, headers, redirect: "manual" });
  } catch (error) {
    throw new Problem(
      "media_store_unreachable",
      `media_store can't be reached at ${url}: ${connectionFailure(error)}`,
    );
  }
}

/** For media_store to say what an entity's bytes are, milliseconds: somebody waits for an answer. */
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
