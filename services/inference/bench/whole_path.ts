/**
 * A contender: both services as a client has them, each picture from its upload to its event.
 *
 * @module
 */
import { percentile } from "@fovea/bench/table";
import type { JobEndedEvent } from "@fovea/contract";
import { startSuite } from "@fovea/testing/suite";
import { subscribe } from "../testing/subscriber.ts";
import { readPictures } from "./contender.ts";
import type { Contender } from "./race.ts";

/** Pictures at the same time for each worker: enough that no worker waits for a client. */
const CLIENTS_PER_WORKER = 3;

/** Starts both services and waits until their workers are warm. */
export async function enterWholePath(
  options: { name: string; workers: number; pictures: string; env: Record<string, string> },
): Promise<Contender> {
  await using cleanup = new AsyncDisposableStack();
  const { name, workers, env } = options;
  const suite = cleanup.use(await startSuite({ ...env, INFERENCE_WORKERS: `${workers}` }));
  const subscriber = cleanup.use(
    await subscribe((await suite.info()).mqtt_url, "inference/job/+/completed"),
  );
  const pictures = await readPictures(options.pictures);
  let sent = 0;

  async function embedNext(): Promise<void> {
    const { id } = await suite.upload(unlikeAnyOther(pictures[sent++ % pictures.length]!));
    const job_id = crypto.randomUUID();
    await suite.submit("image_embedding", { media_store_id: id, job_id });
    const heard = await subscriber.until(({ topic }) => topic.includes(job_id));
    const { event, error_message }: JobEndedEvent = JSON.parse(heard.payload);
    if (event !== "job_completed") {
      throw new Error(`Cannot measure: a job failed: ${error_message}`);
    }
  }

  const owned = cleanup.move();
  return {
    name,
    async turn(seconds) {
      subscriber.heard.length = 0;
      const until = performance.now() + seconds * 1000;
      const ended: number[] = [];
      const client = async () => {
        while (performance.now() < until) {
          await embedNext();
          ended.push(performance.now());
        }
      };
      const clients = Promise.all(Array.from({ length: workers * CLIENTS_PER_WORKER }, client));
      const health = await timeHealth(suite.inference.url, until);
      await clients;
      // From the last of the first round to the last one before the clients run out.
      const counted = ended.filter((time) => time <= until);
      const span = counted.at(-1)! - counted[workers - 1]!;
      return {
        picturesPerSecond: (counted.length - workers) / span * 1000,
        // The median of one number is that number.
        stagesMs: { health: [percentile(health, 99)] },
        peakMemory: NaN,
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Milliseconds that each answer took, which is how long other things kept the main thread from it. */
async function timeHealth(url: string, until: number): Promise<number[]> {
  const took: number[] = [];
  while (performance.now() < until) {
    const from = performance.now();
    await (await fetch(`${url}/health`)).body?.cancel();
    took.push(performance.now() - from);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return took;
}

/** The same JPEG with a comment of its own: a second upload of the same bytes would be refused. */
function unlikeAnyOther(jpeg: Uint8Array): Uint8Array<ArrayBuffer> {
  const comment = new TextEncoder().encode(crypto.randomUUID());
  const marker = [0xff, 0xfe, 0, comment.length + 2];
  const file = new Uint8Array(jpeg.length + marker.length + comment.length);
  file.set(jpeg.subarray(0, 2));
  file.set(marker, 2);
  file.set(comment, 2 + marker.length);
  file.set(jpeg.subarray(2), 2 + marker.length + comment.length);
  return file;
}
