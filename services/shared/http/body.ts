/**
 * Bodies of requests that are read as a whole: bounded in size and in time.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import { keepPace, type Pace, readInTime, UPLOAD_PACE } from "./pace.ts";

/**
 * The body as text.
 *
 * @throws {Problem} `upload_too_large`, `upload_stalled`, `broken_body`
 */
export async function readText(
  request: Request,
  maxBytes: number,
  pace: Pace = UPLOAD_PACE,
): Promise<string> {
  const announced = request.headers.get("Content-Length");
  const length = announced === null ? NaN : Number(announced);
  if (length > maxBytes) throw tooLarge(maxBytes);
  // What is so small is in time or not as a whole; most bodies are.
  if (length <= pace.allowanceMs / 1000 * pace.minRate) {
    return await readInTime(request.text(), pace.allowanceMs, pace);
  }
  if (request.body === null) return "";
  const reader = request.body.getReader();
  try {
    const decoder = new TextDecoder();
    let text = "";
    let size = 0;
    for await (const bytes of keepPace(reader, pace)) {
      size += bytes.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      text += decoder.decode(bytes, { stream: true });
    }
    return text + decoder.decode();
  } finally {
    // What is still coming is for the app to discard.
    reader.releaseLock();
  }
}

function tooLarge(maxBytes: number): Problem {
  return new Problem("upload_too_large", `body is over ${maxBytes} bytes, the most that is taken`);
}
