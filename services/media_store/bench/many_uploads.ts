/**
 * Many small uploads by several clients at once: whether each is there afterwards, once, and how
 * fast that is beside one client alone.
 *
 * @module
 */
import type { Item, Page } from "@fovea/contract";
import { type ServiceProcess, startService } from "@fovea/testing";
import { add, forget, noisePicture, timed } from "./client.ts";

const BYTES = 100_000;
export const CLIENTS = 8;

export interface ManyUploads {
  /** Uploads that all clients together were told are stored, and as many by one client alone. */
  uploads: number;
  /** How many entities, or files, there are more or fewer than that. */
  lostOrDoubled: number;
  /** Uploads a second. */
  rate: { one: number; many: number };
}

/** @param uploads by all clients together, an even number */
export async function measureManyUploads(uploads = 1000): Promise<ManyUploads> {
  await using service = await startService("media_store");
  await forget(service, await add(service, noisePicture(0, BYTES)));
  let seed = 0;
  const run = async (clients: number): Promise<number> => {
    const last = seed + uploads / 2;
    const client = async () => {
      while (seed < last) await add(service, noisePicture(++seed, BYTES));
    };
    return await timed(() => Promise.all(Array.from({ length: clients }, client)));
  };
  // In halves, each for both in turn: a machine that slows down meanwhile slows both.
  const ms = { one: 0, many: 0 };
  for (let half = 0; half < 2; half++) {
    ms.one += await run(1);
    ms.many += await run(CLIENTS);
  }
  return {
    uploads,
    lostOrDoubled: await countOdd(service, 2 * uploads),
    rate: { one: uploads / ms.one * 1000, many: uploads / ms.many * 1000 },
  };
}

async function countOdd(service: ServiceProcess, expected: number): Promise<number> {
  const answer = await fetch(`${service.url}/entity/?page_size=1`);
  const { pagination }: Page<Item> = await answer.json();
  const files = [...Deno.readDirSync(`${service.dataDir}/media_store/files`)].length;
  return Math.max(Math.abs(pagination.total_items - expected), Math.abs(files - expected));
}
