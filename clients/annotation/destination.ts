/**
 * Where annotated pictures and cut-out faces go. This is decided, and checked for clashes, before
 * anything is sent.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import { basename, dirname, join, parse } from "node:path";
import { reasonOf } from "@fovea/process/file_error";

/** Which files the user wants, and of which pictures. */
export interface RequestedPictures {
  /** At least one. */
  images: string[];
  /** A PNG file to draw the faces on, or a folder for such files. */
  annotate?: string;
  /** A folder to put each face into. */
  crops?: string;
}

/** What is to be written of one picture. */
export interface Destination {
  /** Of the copy with the faces drawn on it. */
  annotated?: string | undefined;
  /** Of a face, counted from 1. */
  crop?: ((face: number) => string) | undefined;
}

/**
 * Makes the folders that are asked for and says what goes where.
 *
 * @returns one destination for each picture
 * @throws {Problem} `usage`: a folder can't be made, two results would get the same name, or a
 * picture would be overwritten
 */
export async function chooseDestinations(
  { images, annotate, crops }: RequestedPictures,
): Promise<(image: string) => Destination> {
  const folder = annotate !== undefined && await isFolder(annotate);
  if (annotate !== undefined && !folder) await checkFile(annotate, images);
  if (folder) await makeFolder("--annotate", annotate);
  if (crops !== undefined) await makeFolder("--crops", crops);

  const destinationOf = (image: string): Destination => {
    const name = parse(image).name;
    return {
      annotated: folder ? join(annotate, `${name}-faces.png`) : annotate,
      crop: crops === undefined ? undefined : (face) => join(crops, `${name}-face-${face}.png`),
    };
  };
  checkClashes(images, destinationOf);
  await checkOverwriting(images, destinationOf);
  return destinationOf;
}

/** A path that ends in a slash is a folder, also where it does not exist yet. */
async function isFolder(path: string): Promise<boolean> {
  if (/[\\/]$/.test(path)) return true;
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}

async function checkFile(path: string, images: string[]): Promise<void> {
  if (images.length > 1) {
    throw wrong(
      "--annotate",
      path,
      `it is one file for ${images.length} pictures: name a folder, its name ending in "/"`,
    );
  }
  if (!/\.png$/i.test(path)) {
    throw wrong(
      "--annotate",
      path,
      'expected a name ending in ".png", the format that is written, or in "/" for a folder',
    );
  }
  if (!await isFolder(dirname(path))) {
    throw wrong("--annotate", path, `there is no folder ${dirname(path)}`);
  }
}

async function makeFolder(option: string, path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw wrong(option, path, `the folder can't be made: ${reasonOf(error)}`);
  }
}

function checkClashes(images: string[], destinationOf: (image: string) => Destination): void {
  const owners = new Map<string, string>();
  for (const image of images) {
    const { annotated, crop } = destinationOf(image);
    for (const path of [annotated, crop?.(1)]) {
      if (path === undefined) continue;
      const owner = owners.get(path);
      if (owner !== undefined) {
        throw new Problem(
          "usage",
          `${owner} and ${image} would both be written to ${path}: give them in separate calls, ` +
            `with folders of their own`,
        );
      }
      owners.set(path, image);
    }
  }
}

/** Compares real paths, since a picture may have several names. */
async function checkOverwriting(
  images: string[],
  destinationOf: (image: string) => Destination,
): Promise<void> {
  const places = new Map<string, string>();
  for (const image of images) places.set(await placeOf(image), image);
  for (const image of images) {
    const { annotated, crop } = destinationOf(image);
    const annotatedPlace = annotated && await placeOf(annotated);
    const cropPlace = crop && await placeOf(crop(1));
    for (const [place, picture] of places) {
      if (place === annotatedPlace || cropPlace && isSibling(place, cropPlace)) {
        throw new Problem(
          "usage",
          `${picture}, one of the pictures, would be overwritten: choose another name or folder`,
        );
      }
    }
  }
}

/** Whether a path differs from another at most in the number at its end. */
function isSibling(path: string, other: string): boolean {
  const end = /\d+\.png$/;
  return end.test(path) && path.replace(end, "") === other.replace(end, "");
}

/** The real path, also of a file that does not exist yet. */
async function placeOf(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch {
    const folder = dirname(path);
    return join(await Deno.realPath(folder).catch(() => folder), basename(path));
  }
}

function wrong(option: string, value: string, what: string): Problem {
  return new Problem("usage", `option '${option}' argument '${value}' is invalid: ${what}`);
}
