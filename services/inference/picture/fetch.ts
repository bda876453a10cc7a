/**
 * The bytes of an entity's picture, from media_store over HTTP.
 *
 * @module
 */
import { connectionFailure, Problem } from "@fovea/contract";

/** Where pictures come from. */
export interface PictureSource {
  /** Base URL of media_store. */
  url: string;
  /** Bearer token, where media_store wants one for reading. */
  token?: string | undefined;
  /** Longer answers are refused. */
  maxBytes: number;
}

/** For the whole picture, milliseconds: well under a job's deadline, which would cost the worker. */
const TIMEOUT = 30_000;

/**
 * @throws {Problem} `entity_not_found`, `entity_has_no_file`, `upload_too_large` for good;
 *   `media_store_unreachable` and `media_store_error` where a later try may do better
 */
export async function fetchPicture(
  source: PictureSource,
  entityId: number,
): Promise<Uint8Array> {
  const headers = new Headers();
  if (source.token !== undefined) headers.set("Authorization", `Bearer ${source.token}`);
  const url = `${source.url}/entity/${entityId}/image`;
  let response: Response;
  try {
    response = await fetch(url, {
      headers,
      signal: AbortSignal.timeout(TIMEOUT),
      redirect: "error",
    });
  } catch (error) {
    throw new Problem(
      "media_store_unreachable",
      `media_store can't be reached at ${source.url}: ${connectionFailure(error)}`,
    );
  }
  if (!response.ok) throw await refusal(response, entityId);
  try {
    return await readAll(response, source.maxBytes);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(
      "media_store_error",
      `media_store broke off while sending entity ${entityId}: ${connectionFailure(error)}`,
    );
  }
}

async function refusal(response: Response, entityId: number): Promise<Problem> {
  const said = await response.json().catch(() => null) as { code?: string; detail?: string } | null;
  if (response.status === 404) {
    return said?.code === "entity_has_no_file"
      ? new Problem("entity_has_no_file", `entity ${entityId} has no file: it is a collection`)
      : new Problem("entity_not_found", `media_store has no entity ${entityId}`);
  }
  const detail = said?.detail === undefined ? "" : `: ${said.detail}`;
  return new Problem(
    "media_store_error",
    `media_store answered ${response.status} for the picture of entity ${entityId}${detail}`,
  );
}

async function readAll(response: Response, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > maxBytes) {
      throw new Problem("upload_too_large", `picture has more than the ${maxBytes} bytes allowed`);
    }
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
