/**
 * Packed weights in a file beside the model, so that packing is done once.
 *
 * ```
 * 0       "FOVEAVIT"
 * 8       SHA-256 of the rest of this page, 32 bytes
 * 40      the header as JSON, then zeros
 * 4096    the weights as they lie in memory
 * ```
 *
 * The weights themselves are checked by XXH64, which takes a tenth of the time that reading does.
 * A file is written under another name, flushed and renamed: it is there whole, or not at all.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { instantiate, type Levels } from "../kernels/kernels.ts";
import type { ImageTowerShape } from "../tower.ts";
import { allotWeights, type Room, type Weights, WEIGHTS_START } from "../weights.ts";
import { layOut, LAYOUT_VERSION, type Precision } from "./layout.ts";
import type { Proof } from "./proof.ts";

/** What a packed file must be of to be the one looked for. */
export interface Identity {
  /** SHA-256 of the ONNX file, lower-case hex. */
  model: string;
  precision: Precision;
  /** What int8 was proved with; what it is with fp32 makes no difference. */
  levels: Levels;
}

interface Header extends Identity {
  layout: number;
  shape: ImageTowerShape;
  proof: Proof | null;
  /** Of the weights; 0 where there are none, since int8 was not good enough. */
  bytes: number;
  /** XXH64 of the weights, hex. */
  checksum: string;
}

/** What a packed file holds. */
export type Packed =
  | { kind: "weights"; weights: Weights }
  /** int8 did not prove itself. */
  | { kind: "refused"; proof: Proof }
  /** Nothing that can be used: there is no file, or it is not the one looked for. */
  | { kind: "nothing"; reason: string };

const MAGIC = new TextEncoder().encode("FOVEAVIT");
const JSON_START = 40;
const PAGE = 4096;
const CHUNK = 64 * PAGE;

/** Reads a packed file into a memory of its own, and checks it. */
export async function readPackedFile(
  path: string,
  identity: Identity,
  room: Room,
): Promise<Packed> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return nothing("there is none yet");
    throw error;
  }
  using _ = file;
  const page = new Uint8Array(PAGE);
  if (await readInto(file, page) < PAGE) return nothing("it is cut off");
  const header = parseHeader(page);
  if (header === null) return nothing("it is no file of packed weights, or damaged");
  if (header.layout !== LAYOUT_VERSION) {
    return nothing(`it has the layout ${header.layout}, and the kernels take ${LAYOUT_VERSION}`);
  }
  if (header.model !== identity.model || header.precision !== identity.precision) {
    return nothing("it was packed from another model");
  }
  if (header.precision === "int8" && header.levels !== identity.levels) {
    return nothing(`it was proved with ${header.levels} levels, and here are ${identity.levels}`);
  }
  if (header.bytes === 0) return { kind: "refused", proof: header.proof! };

  const weights = {
    ...await allotWeights(header.shape, header.precision, room),
    proof: header.proof,
  };
  const bytes = bytesOf(weights);
  const { size } = await file.stat();
  if (header.bytes !== bytes.length || size !== PAGE + bytes.length) {
    return nothing(`it has ${size} bytes, and should have ${PAGE + bytes.length}`);
  }
  // Files can't be read into shared memory at once.
  const chunk = new Uint8Array(CHUNK);
  for (let at = 0; at < bytes.length;) {
    const count = await readInto(file, chunk.subarray(0, bytes.length - at));
    if (count === 0) return nothing("it is cut off");
    setPages(bytes, at, chunk.subarray(0, count));
    at += count;
  }
  if (checksumOf(weights) !== header.checksum) return nothing("it is damaged");
  return { kind: "weights", weights };
}

/** Writes weights to a file and flushes it to the disk. */
export async function writePackedFile(
  path: string,
  model: string,
  weights: Weights,
  proof: Proof | null,
): Promise<void> {
  const isRefused = proof !== null && !proof.isGood;
  const bytes = isRefused ? new Uint8Array() : bytesOf(weights);
  const header: Header = {
    layout: LAYOUT_VERSION,
    model,
    precision: weights.precision,
    levels: weights.levels,
    shape: weights.shape,
    proof,
    bytes: bytes.length,
    checksum: isRefused ? "" : checksumOf(weights),
  };
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  await writeAll(file, pageOf(header));
  for (let at = 0; at < bytes.length; at += CHUNK) {
    await writeAll(file, bytes.slice(at, at + CHUNK));
  }
  await file.sync();
}

function nothing(reason: string): Packed {
  return { kind: "nothing", reason };
}

/** The weights of a tower, and nothing else. */
function bytesOf({ memory, shape, precision }: Weights): Uint8Array {
  const { end } = layOut(shape, precision, WEIGHTS_START);
  return new Uint8Array(memory.buffer, WEIGHTS_START, end - WEIGHTS_START);
}

/**
 * Writes to a memory of zeros, but no pages of zeros: what is never written takes no memory. int8 has
 * 2.4 MB of them on ViT-B/32 without outliers.
 */
function setPages(bytes: Uint8Array, at: number, values: Uint8Array): void {
  for (let start = 0; start < values.length; start += PAGE) {
    const page = values.subarray(start, start + PAGE);
    if (page.some((byte) => byte !== 0)) bytes.set(page, at + start);
  }
}

function checksumOf(weights: Weights): string {
  const { xxh64 } = instantiate(weights.module, weights.memory);
  return BigInt.asUintN(64, xxh64(WEIGHTS_START, bytesOf(weights).length)).toString(16);
}

function pageOf(header: Header): Uint8Array {
  const page = new Uint8Array(PAGE);
  page.set(MAGIC);
  page.set(new TextEncoder().encode(JSON.stringify(header)), JSON_START);
  page.set(digestOfHeader(page), MAGIC.length);
  return page;
}

/** @returns null where the page is none of ours, or not as it was written */
function parseHeader(page: Uint8Array): Header | null {
  const digest = page.subarray(MAGIC.length, JSON_START);
  if (!isSame(page.subarray(0, MAGIC.length), MAGIC)) return null;
  if (!isSame(digest, digestOfHeader(page))) return null;
  const end = page.indexOf(0, JSON_START);
  return JSON.parse(new TextDecoder().decode(page.subarray(JSON_START, end)));
}

function digestOfHeader(page: Uint8Array): Uint8Array {
  return createHash("sha256").update(page.subarray(JSON_START)).digest();
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** @returns how many bytes there were, fewer than asked for at the end of the file only */
async function readInto(file: Deno.FsFile, bytes: Uint8Array): Promise<number> {
  let at = 0;
  while (at < bytes.length) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) break;
    at += count;
  }
  return at;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
