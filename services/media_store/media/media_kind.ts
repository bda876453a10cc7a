import { type MediaType, Problem } from "@fovea/contract";
import { type FileKind, kindOfBytes, kindOfFile } from "@fovea/pictures/kinds";

/** What a file is by its bytes. */
export interface MediaKind extends FileKind {
  type: MediaType;
}

const PREFIXES = ["image", "video", "audio"] as const;

/**
 * Tells what a file is by its bytes. Formats that are text, such as SVG, are none of those taken: a
 * browser would run what stands in them.
 *
 * @param file its bytes, or its path
 * @param name what the uploader calls it, for the message only
 * @throws {Problem} `unsupported_media`
 */
export async function recogniseMedia(
  file: Uint8Array | string,
  name: string,
): Promise<MediaKind> {
  const kind = await (typeof file === "string" ? kindOfFile(file) : kindOfBytes(file));
  const type = kind?.mime_type === "application/pdf"
    ? "document"
    : PREFIXES.find((prefix) => kind?.mime_type.startsWith(`${prefix}/`));
  if (kind !== undefined && type !== undefined) {
    return { type, ...kind };
  }
  throw new Problem(
    "unsupported_media",
    `file ${JSON.stringify(name)} is, by its bytes, ${
      kind?.mime_type ?? "of a type that can't be told"
    }: ` +
      `pictures, video, audio and PDF are taken`,
  );
}
