/**
 * What must hold of bytes on their way in and out: a large upload beside the least that it can cost,
 * many small ones, a large download, and the memory that the service takes for them.
 *
 * @module
 */
import type { Item, Page } from "@fovea/contract";
import { type ServiceProcess, startService, temporaryFolder } from "@fovea/testing";
import { Child } from "@fovea/testing/child";
import { craftPng } from "../media/crafted_picture.ts";
import { form } from "../test_app.ts";

export interface Ratio {
  name: string;
  value: number;
  /** In words. */
  wanted: string;
  holds: boolean;
}

const MB = 1_000_000;
const LARGE_BYTES = 200 * MB;
const SMALL_BYTES = 100_000;

/** @param rounds of large uploads and downloads; the median of them counts */
export async function measureBytes(
  { rounds = 5, smallUploads = 1000, clients = 8 } = {},
): Promise<Ratio[]> {
  return [
    ...await measureLarge(rounds),
    ...await measureMany(smallUploads, clients),
  ];
}

async function measureLarge(rounds: number): Promise<Ratio[]> {
  await using folder = await temporaryFolder();
  await using bare = startBareReceiver(folder.path);
  await using service = await startService("media_store", {
    MAX_UPLOAD_BYTES: `${2 * LARGE_BYTES}`,
  });
  const bareUrl = await bare.first((line) => line.startsWith("http:") ? line : undefined);
  // Loads what both need, so that neither pays for it in the first round.
  await send(bareUrl, picture(0, SMALL_BYTES));
  await addAndForget(service, picture(0, SMALL_BYTES));

  const memory = await watchMemory(service.pid);
  const ms: { bare: number[]; upload: number[]; download: number[] } = {
    bare: [],
    upload: [],
    download: [],
  };
  let uploadGrowth = 0;
  let downloadGrowth = 0;
  for (let round = 1; round <= rounds; round++) {
    const image = picture(round, LARGE_BYTES);
    ms.bare.push(await timed(() => send(bareUrl, image)));
    let item: Item | undefined;
    await memory.restart();
    ms.upload.push(await timed(async () => item = await add(service, image)));
    uploadGrowth = Math.max(uploadGrowth, await memory.growth());
    await memory.restart();
    ms.download.push(await timed(() => download(service, item!)));
    downloadGrowth = Math.max(downloadGrowth, await memory.growth());
    await forget(service, item!);
  }
  const rate = LARGE_BYTES / MB / median(ms.download) * 1000;
  return [
    atMost(
      "ms to upload 200 MB : busboy, two digests and a synced file alone",
      median(ms.upload) / median(ms.bare),
      1.3,
    ),
    atMost("memory added by an upload of 200 MB : 80 MB", uploadGrowth / (80 * MB), 1),
    atMost("memory added by a download of 200 MB : 80 MB", downloadGrowth / (80 * MB), 1),
    atLeast("MB/s of a download : 100 MB/s", rate / 100, 1),
  ];
}

/** Many clients at once lose nothing and store nothing twice, which is an error here and no ratio. */
async function measureMany(uploads: number, clients: number): Promise<Ratio[]> {
  await using service = await startService("media_store");
  await addAndForget(service, picture(0, SMALL_BYTES));
  const run = async (clients: number, seeds: number[]): Promise<number> => {
    const waiting = [...seeds];
    const client = async () => {
      for (let seed = waiting.pop(); seed !== undefined; seed = waiting.pop()) {
        await add(service, picture(seed, SMALL_BYTES));
      }
    };
    const ms = await timed(() => Promise.all(Array.from({ length: clients }, client)));
    return seeds.length / ms * 1000;
  };
  const seeds = Array.from({ length: 2 * uploads }, (_, i) => i + 1);
  // In halves, each for both in turn: a machine that slows down meanwhile slows both.
  const one: number[] = [];
  const many: number[] = [];
  for (let half = 0; half < 2; half++) {
    one.push(await run(1, seeds.splice(0, uploads / 2)));
    many.push(await run(clients, seeds.splice(0, uploads / 2)));
  }
  await requireAll(service, 2 * uploads);
  return [
    atLeast(
      `uploads/s of 100 KB, ${clients} clients : one client`,
      (many[0]! + many[1]!) / (one[0]! + one[1]!),
      1,
    ),
  ];
}

async function requireAll(service: ServiceProcess, expected: number): Promise<void> {
  const answer = await fetch(`${service.url}/entity/?page_size=1`);
  const { pagination }: Page<Item> = await answer.json();
  const files = [...Deno.readDirSync(`${service.dataDir}/media_store/files`)].length;
  if (pagination.total_items === expected && files === expected) return;
  throw new Error(
    `Cannot go on: of ${expected} uploads there are ${pagination.total_items} entities and ${files} files`,
  );
}

function startBareReceiver(folder: string): Child {
  const script = new URL("bare_receiver.ts", import.meta.url).pathname;
  return new Child(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "--allow-read", "--allow-write", script, folder],
  });
}

/** A picture by its header, unlike that of any other seed, and beyond it bytes like a camera's. */
function picture(seed: number, size: number): Blob {
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

async function send(url: string, image: Blob): Promise<string> {
  const answer = await fetch(url, form({ is_collection: "false", image }));
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(`Cannot upload: ${answer.status}: ${text}`);
  return text;
}

const add = async (service: ServiceProcess, image: Blob): Promise<Item> =>
  JSON.parse(await send(`${service.url}/entity/`, image));

async function forget(service: ServiceProcess, { id }: Item): Promise<void> {
  const answer = await fetch(`${service.url}/entity/${id}`, { method: "DELETE" });
  await answer.body?.cancel();
}

const addAndForget = async (service: ServiceProcess, image: Blob) =>
  await forget(service, await add(service, image));

/** Takes a file's bytes and throws them away. */
async function download(service: ServiceProcess, { id, file_size }: Item): Promise<void> {
  const answer = await fetch(`${service.url}/entity/${id}/image`);
  let length = 0;
  for await (const bytes of answer.body!) length += bytes.length;
  if (length !== file_size) {
    throw new Error(`Cannot download: ${length} of ${file_size} bytes came`);
  }
}

/** How much more memory a process comes to hold than it held at a moment, bytes (proc(5)). */
async function watchMemory(pid: number) {
  const held = async (what: string) => {
    const status = await shell(`cat /proc/${pid}/status`);
    return Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(status)![1]) * 1024;
  };
  let before = await held("VmRSS");
  return {
    async restart() {
      // The peak is set back to what is held now.
      await shell(`echo 5 > /proc/${pid}/clear_refs`);
      before = await held("VmRSS");
    },
    growth: async () => await held("VmHWM") - before,
  };
}

/** Deno itself opens nothing in /proc unless everything is allowed. */
async function shell(command: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", command] }).output();
  return new TextDecoder().decode(stdout);
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const atMost = (name: string, value: number, most: number): Ratio => ({
  name,
  value,
  wanted: `at most ${most}`,
  holds: value <= most,
});
const atLeast = (name: string, value: number, least: number): Ratio => ({
  name,
  value,
  wanted: `at least ${least}`,
  holds: value >= least,
});

if (import.meta.main) {
  for (const { name, value, wanted, holds } of await measureBytes()) {
    console.log(`${name}: ${value.toFixed(2)}, ${wanted}: ${holds ? "holds" : "MISSED"}`);
  }
}
