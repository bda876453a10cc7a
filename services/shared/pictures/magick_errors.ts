/**
 * What ImageMagick, and the libraries it reads with, say of a picture that can't be decoded, in
 * words for those who sent it.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import { interruptible } from "@fovea/process/interruptible";
import { type IMagickImage, MagickError } from "@imagemagick/magick-wasm";

/** Each of the libraries has its own words for a file that ends too early. */
const CUT_OFF =
  /unexpected\s?end|insufficient\s?image\s?data|premature|truncated|end of file|got \d+ bytes, expected/i;

const CHECKSUM = /\bcrc\b/i;
const UNSUPPORTED =
  /unsupported|not supported|not implemented|no ?decode ?delegate|not built|compression ?not/i;
const SIZE =
  /(zero|invalid|improper|negative)\S*\s*(image)?\s*(width|height|size|dimension)|NegativeOrZero|(width|height) is zero|invalid ihdr/i;

/** What reading a picture said though it succeeded. */
export interface Warnings {
  /** Whether pixels are missing at its end. */
  isCutOff: boolean;
}

/**
 * Lets ImageMagick read something of a picture.
 *
 * @param hadNoEnd whether the file's last marker was missing: then pixels that are missing, too, are
 *   those at the end, and no damage somewhere in the middle
 * @throws {Problem} `image_unreadable`, `image_truncated`, `image_too_large`
 */
export function runMagick(image: IMagickImage, work: () => void, hadNoEnd = false): Warnings {
  let isCutOff = false;
  image.onWarning = ({ error }) => {
    // Other warnings (stray bytes, odd metadata) leave a picture that viewers show as well.
    if (/premature end of jpeg file/i.test(error.message)) isCutOff = true;
    if (hadNoEnd && /premature end of data segment/i.test(error.message)) isCutOff = true;
  };
  try {
    interruptible(work);
  } catch (error) {
    if (!(error instanceof MagickError)) throw error;
    throw isCutOff ? cutOff() : problemOf(error);
  }
  return { isCutOff };
}

/** A picture of which part is missing. */
export function cutOff(): Problem {
  return new Problem("image_truncated", "picture ends too early: part of the file is missing");
}

function problemOf(error: MagickError): Problem {
  const said = wordsOf(error);
  if (/CacheResourcesExhausted|memory ?allocation/i.test(said)) {
    return new Problem(
      "image_too_large",
      "picture takes more memory to decode than is allowed: save it with fewer pixels",
    );
  }
  if (CUT_OFF.test(said)) return cutOff();
  return new Problem("image_unreadable", `picture can't be decoded: ${reasonOf(said)}`);
}

function reasonOf(said: string): string {
  if (CHECKSUM.test(said)) return "a checksum in the file is wrong, so it was damaged";
  if (SIZE.test(said)) return "its header has a width or height that no picture can have";
  if (UNSUPPORTED.test(said)) {
    return "the file is written in a way that is not supported: save it as JPEG or PNG";
  }
  return "the file is damaged, or written in a way that is not supported";
}

function wordsOf(error: MagickError): string {
  return [error.message, ...error.relatedErrors.map(wordsOf)].join("\n");
}
