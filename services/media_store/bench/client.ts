/**
 * What the bench does to media_store as a client of it.
 *
 * @module
 */
import type { Item } from "@fovea/contract";
import type { ServiceProcess } from "@fovea/testing";
import { craftPng } from "../testing/crafted_picture.ts";
import { form } from "../testing/test_app.ts";

/** A picture by its header, unlike that of any other seed, and beyond it bytes like a camera's. */
export function noisePicture(seed: number, size: number): Blob {
  const noise = new Uint32Array(Math.ceil(size / 4));
  let state = seed + 1;
  // Marsaglia's xorshift, 32 bits.
  for (let i = 0; i < noise.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    noise[i] = state;
  }
  const bytes = new Uint8Array(noise.buffer, 0, size);
  bytes.set(craftPng(3, 2, seed));
  return new Blob([bytes]);
}

/** Uploads a file to whoever takes forms at this URL. @returns the answer's body */
export async function send(url: string, image: Blob): Promise<string> {
  const answer = await fetch(url, form({ is_collection: "false", image }));
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(`Cannot upload: ${answer.status}: ${text}`);
  return text;
}

export async function add(service: ServiceProcess, image: Blob): Promise<Item> {
  return JSON.parse(await send(`${service.url}/entity/`, image));
}

export async function forget(service: ServiceProcess, { id }: Item): Promise<void> {
  const answer = await fetch(`${service.url}/entity/${id}`, { method: "DELETE" });
  await answer.body?.cancel();
}

/** Takes a file's bytes and throws them away. */
export async function download(service: ServiceProcess, { id, file_size }: Item): Promise<void> {
  const answer = await fetch(`${service.url}/entity/${id}/image`);
  let length = 0;
  for await (const bytes of answer.body!) length += bytes.length;
  if (length !== file_size) {
    throw new Error(`Cannot download: ${length} of ${file_size} bytes came`);
  }
}

/** Milliseconds that something takes. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}
