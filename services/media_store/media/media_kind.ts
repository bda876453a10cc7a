import { type MediaType, Problem } from "@fovea/contract";
import { fileTypeFromFile } from "file-type";

/** What a file is by its bytes. */
export interface MediaKind {
  type: MediaType;
  mime_type: string;
  /** Without the dot. */
  extension: string;
}

const PREFIXES = ["image", "video", "audio"] as const;

/**
 * Tells what a file is by its bytes. Formats that are text, such as SVG, are none of those taken: a
 * browser would run what stands in them.
 *
 * @param name what the uploader calls it, for the message only
 * @throws {Problem} `unsupported_media`
 */
export async function recogniseMedia(path: string, name: string): Promise<MediaKind> {
  const found = await fileTypeFromFile(path);
  // Some come with parameters: "audio/ogg; codecs=opus".
  const mimeType = found?.mime.replace(/;.*/, "");
  const type = mimeType === "application/pdf"
    ? "document"
    : PREFIXES.find((prefix) => mimeType?.startsWith(`${prefix}/`));
  if (found === undefined || mimeType === undefined || type === undefined) {
    const met = mimeType === undefined ? "of a type that can't be told" : mimeType;
    throw new Problem(
      "unsupported_media",
      `file ${JSON.stringify(name)} is, by its bytes, ${met}: ` +
        `pictures, video, audio and PDF are taken`,
    );
  }
  return { type, mime_type: mimeType, extension: found.ext };
}
