/**
 * A thousand jobs on good and broken pictures, mixed: whether each gets its own answer, whether
 * memory stays where it was, and whether any worker is lost.
 *
 * @module
 */
import type { JobEndedEvent } from "@fovea/contract";
import { openHouse } from "@fovea/testing/house";
import { subscribe } from "../testing/subscriber.ts";
import { residentMemory } from "./process.ts";
import { median } from "./table.ts";

const JOBS = 1000;
const AT_ONCE = 20;
const WINDOW = 100;

/** What must come of a picture: the number of faces, or the error's code. */
type Answer = number | string;

export interface Soak {
  jobs: number;
  /** Jobs that ended in another way than their picture asks for. */
  wrong: number;
  /** Median resident memory of the service during the first and the last hundred jobs, bytes. */
  rssFirst: number;
  rssLast: number;
  workersLost: number;
}

const image = (name: string) =>
  Deno.readFile(new URL(`../../../clients/images/${name}`, import.meta.url));

async function pictures(): Promise<[Uint8Array<ArrayBuffer>, Answer][]> {
  const astronaut = await image("astronaut.png");
  const rocket = await image("rocket.jpg");
  const damaged = astronaut.slice();
  damaged[5000]! ^= 0xff;
  return [
    [astronaut, 1],
    [await image("camera.png"), 1],
    [await image("coffee.png"), 0],
    [rocket, 0],
    [rocket.slice(0, rocket.length >> 1), "image_truncated"],
    [astronaut.slice(0, astronaut.length >> 2), "image_truncated"],
    [damaged, "image_unreadable"],
    [new TextEncoder().encode("%PDF-1.7\nno picture\n%%EOF"), "image_unreadable"],
  ];
}

/** Runs the jobs through both services, as clients would. */
export async function soak(env: Record<string, string>): Promise<Soak> {
  await using house = await openHouse({ INFERENCE_WORKERS: "2", ...env });
  const expected: [number, Answer][] = [];
  for (const [bytes, answer] of await pictures()) {
    expected.push([(await house.upload(bytes)).id, answer]);
  }
  const { mqtt_url } = await house.info();
  await using subscriber = await subscribe(mqtt_url, "inference/job/+/completed");
  const rss: number[] = [];
  let wrong = 0;
  let next = 0;
  const client = async () => {
    while (next < JOBS) {
      const [media_store_id, answer] = expected[next++ % expected.length]!;
      const job_id = crypto.randomUUID();
      await house.submit("face_detection", { media_store_id, job_id, force: true });
      const heard = await subscriber.until(({ topic }) => topic.includes(job_id));
      subscriber.heard.splice(subscriber.heard.indexOf(heard), 1);
      const { face_count, error_code }: JobEndedEvent = JSON.parse(heard.payload);
      if ((error_code ?? face_count) !== answer) wrong++;
      rss.push(await residentMemory(house.inference.pid));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return {
    jobs: rss.length,
    wrong,
    rssFirst: median(rss.slice(0, WINDOW)),
    rssLast: median(rss.slice(-WINDOW)),
    workersLost: house.inference.log().filter(({ msg }) => msg.startsWith("worker ended")).length,
  };
}

if (import.meta.main) {
  const { jobs, wrong, rssFirst, rssLast, workersLost } = await soak({});
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
  console.log(
    `${jobs} jobs, ${wrong} wrong, ${workersLost} workers lost; memory ${mb(rssFirst)} MB during ` +
      `the first hundred, ${mb(rssLast)} MB during the last (× ${(rssLast / rssFirst).toFixed(3)})`,
  );
}
