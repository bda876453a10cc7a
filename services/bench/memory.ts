/**
 * Whether both services give memory back: what they take when the work is over and they have had
 * nothing to do for a while, beside what they took when they had started and served once.
 *
 * @module
 */
import { atMost, type Measured } from "@fovea/bench/figure";
import { processUsage } from "@fovea/bench/process_usage";
import { fixed, printTable } from "@fovea/bench/table";
import { makeBase, mutate, randomOf } from "@fovea/pictures/testing/mutated_pictures";
import { startSuite, type Suite } from "@fovea/testing/suite";
import { MagickColor, MagickFormat, MagickImage } from "@imagemagick/magick-wasm";

export interface MemoryWork {
  /** Pixels on a side of the large pictures. */
  side: number;
  oddFiles: number;
  /** How long the services have nothing to do before they are looked at. */
  restMs: number;
  /** Settings of inference and of media_store. */
  env?: [Record<string, string>, Record<string, string>];
}

/** Bytes that each service takes at most until it has started and served once; at its highest; in the end. */
export interface MemoryOf {
  served: number;
  highest: number;
  rested: number;
}

export type MemoryTaken = Record<"media_store" | "inference", MemoryOf>;

/** What a bench of a few minutes can do of it. */
const WORK: MemoryWork = { side: 7000, oddFiles: 500, restMs: 60_000 };

const LARGE = [MagickFormat.Jpeg, MagickFormat.Pjpeg, MagickFormat.Png, MagickFormat.WebP];
const ODD = [MagickFormat.Jpeg, MagickFormat.Png, MagickFormat.Gif, MagickFormat.Tiff];
const SEED = 20_261_127;
const SENDERS = 4;

/** Memory is looked at so often while there is work. */
const LOOK_MS = 500;

const SERVICES = ["media_store", "inference"] as const;

export async function measureMemory(work: MemoryWork): Promise<MemoryTaken> {
  await using suite = await startSuite(...work.env ?? []);
  const urls = { media_store: suite.mediaStore.url, inference: suite.inference.url };
  const now = async () => ({
    media_store: (await processUsage(urls.media_store)).memory,
    inference: (await processUsage(urls.inference)).memory,
  });

  const highest = await now();
  const look = async () => {
    const taken = await now();
    for (const name of SERVICES) highest[name] = Math.max(highest[name], taken[name]);
  };
  const timer = setInterval(look, LOOK_MS);
  let served = highest;
  try {
    await serve(suite, await makeBase(MagickFormat.Png));
    await look();
    served = { ...highest };
    for (const format of LARGE) await serve(suite, largePicture(format, work.side));
    await serveOdd(suite, work.oddFiles);
  } finally {
    clearInterval(timer);
  }
  await new Promise((resolve) => setTimeout(resolve, work.restMs));
  const rested = await now();
  const of = (name: typeof SERVICES[number]): MemoryOf => ({
    served: served[name],
    highest: highest[name],
    rested: rested[name],
  });
  return { media_store: of("media_store"), inference: of("inference") };
}

/** Stores a picture, and has all done with it that can be. */
async function serve(suite: Suite, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const { id } = await suite.upload(bytes);
  const thumbnail = await fetch(`${suite.mediaStore.url}/entity/${id}/thumbnail`);
  await thumbnail.body?.cancel();
  for (const task of ["face_detection", "image_embedding"] as const) {
    const { job_id } = await suite.submit(task, { media_store_id: id });
    await suite.ended(job_id);
  }
}

async function serveOdd(suite: Suite, count: number): Promise<void> {
  const bases = await Promise.all(ODD.map(makeBase));
  const random = randomOf(SEED);
  let next = 0;
  const sender = async () => {
    while (next < count) {
      const bytes = mutate(bases[next++ % bases.length]!, random);
      // Many are refused, which is an answer, too.
      await serve(suite, bytes).catch(() => {});
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
}

function largePicture(format: MagickFormat, side: number): Uint8Array<ArrayBuffer> {
  const image = MagickImage.create(new MagickColor("#c0402080"), side, side);
  try {
    return image.write(format, (bytes) => bytes.slice());
  } finally {
    image.dispose();
  }
}

export async function memory(): Promise<Measured> {
  const taken = await measureMemory(WORK);
  const mb = (bytes: number) => fixed(bytes / 1e6, 0);
  console.log("\nMemory, MB\n");
  printTable(
    ["", "started and served once", "at its highest", "a minute after the work"],
    SERVICES.map((name) => {
      const { served, highest, rested } = taken[name];
      return [name, mb(served), mb(highest), mb(rested)];
    }),
  );
  return {
    figures: SERVICES.map((name) =>
      atMost(
        `memory: ${name}, a minute after large and odd files : served once`,
        taken[name].rested / taken[name].served,
        1.25,
      )
    ),
    details: taken,
  };
}
