/**
 * The bytes of an entity's picture, from media_store over HTTP.
 *
 * @module
 */
import { connectionFailure, Problem } from "@fovea/contract";
import { callMediaStore, type MediaStore, readAtMost, refusalOf } from "../media_store.ts";

/** Where pictures come from. */
export interface PictureSource extends MediaStore {
  /** Longer pictures are refused, also those that grow by being unpacked on their way. */
  maxBytes: number;
  /** For the whole picture; default {@link FETCH_TIMEOUT_MS}. */
  timeoutMs?: number;
}

/** A picture's bytes and their digest, lower-case hex. */
export interface PictureFile {
  bytes: Uint8Array;
  sha256: string;
}

/** Well under a job's deadline, which would cost the worker. */
const FETCH_TIMEOUT_MS = 30_000;

/**
 * @param cancelled ends the call
 * @throws {Problem} `entity_not_found`, `entity_has_no_file`, `upload_too_large` for good;
 *   `media_store_unreachable` and `media_store_error` where a later try may do better, as where the
 *   bytes are others than media_store says they are
 */
export async function fetchPicture(
  source: PictureSource,
  entityId: number,
  cancelled?: AbortSignal,
): Promise<PictureFile> {
  const timeout = AbortSignal.timeout(source.timeoutMs ?? FETCH_TIMEOUT_MS);
  const signal = cancelled === undefined ? timeout : AbortSignal.any([timeout, cancelled]);
  const response = await callMediaStore(source, `/entity/${entityId}/image`, { signal });
  if (!response.ok) throw await refusal(response, entityId);
  if (response.headers.get("Content-Type")?.startsWith("text/html")) {
    await response.body?.cancel();
    throw new Problem(
      "media_store_error",
      `media_store answered with a web page in place of the picture of entity ${entityId}: ` +
        `is MEDIA_STORE_URL that of media_store?`,
    );
  }
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readAtMost(response, source.maxBytes);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new Problem(
        "upload_too_large",
        `picture has more than the ${source.maxBytes} bytes allowed`,
      );
    }
    throw new Problem(
      "media_store_error",
      `media_store broke off while sending entity ${entityId}: ${connectionFailure(error)}`,
    );
  }
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  // media_store names the bytes by their digest; another server may have other tags.
  const said = /^"([0-9a-f]{64})"$/.exec(response.headers.get("ETag") ?? "")?.[1];
  if (said !== undefined && said !== sha256) {
    throw new Problem(
      "media_store_error",
      `media_store sent other bytes of entity ${entityId} than it says: sha256 is ${sha256}, ` +
        `expected ${said}`,
    );
  }
  return { bytes, sha256 };
}

async function refusal(response: Response, entityId: number): Promise<Problem> {
  const { code, detail } = await refusalOf(response);
  if (response.status === 404) {
    return code === "entity_has_no_file"
      ? new Problem("entity_has_no_file", `entity ${entityId} has no file: it is a collection`)
      : new Problem("entity_not_found", `media_store has no entity ${entityId}`);
  }
  return new Problem(
    "media_store_error",
    `media_store answered ${response.status} for the picture of entity ${entityId}` +
      (detail === undefined ? "" : `: ${detail}`),
  );
}
