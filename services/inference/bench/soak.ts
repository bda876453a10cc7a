/**
 * A thousand jobs on good and broken pictures, mixed. Each must get the answer of its own picture, memory
 * must not grow, and no worker may be lost.
 *
 * @module
 */
import { atMost, type Measured } from "@fovea/bench/figure";
import { median } from "@fovea/bench/table";
import { processUsage } from "@fovea/bench/process_usage";
import type { JobEndedEvent } from "@fovea/contract";
import { startSuite } from "@fovea/testing/suite";
import { subscribe } from "../testing/subscriber.ts";

const JOBS = 1000;
const AT_ONCE = 20;
const WINDOW = 100;

/** What must come of a picture: the number of faces, or the error's code. */
type Answer = number | string;

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
export async function soak(): Promise<Measured> {
  await using suite = await startSuite({ INFERENCE_WORKERS: "2" });
  const expected: [number, Answer][] = [];
  for (const [bytes, answer] of await pictures()) {
    expected.push([(await suite.upload(bytes)).id, answer]);
  }
  const { mqtt_url } = await suite.info();
  await using subscriber = await subscribe(mqtt_url, "inference/job/+/completed");
  const rss: number[] = [];
  let wrong = 0;
  let next = 0;
  const client = async () => {
    while (next < JOBS) {
      const [media_store_id, answer] = expected[next++ % expected.length]!;
      const job_id = crypto.randomUUID();
      await suite.submit("face_detection", { media_store_id, job_id, force: true });
      const heard = await subscriber.until(({ topic }) => topic.includes(job_id));
      subscriber.heard.splice(subscriber.heard.indexOf(heard), 1);
      const { face_count, error_code }: JobEndedEvent = JSON.parse(heard.payload);
      if ((error_code ?? face_count) !== answer) wrong++;
      rss.push((await processUsage(suite.inference.url)).memory);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  const first = median(rss.slice(0, WINDOW));
  const last = median(rss.slice(-WINDOW));
  const lost = suite.inference.log().filter(({ msg }) => msg.startsWith("worker ended")).length;
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  console.log(
    `\n${rss.length} jobs on good and broken pictures, ${AT_ONCE} at once: memory of the service ` +
      `${mb(first)} during the first hundred, ${mb(last)} during the last`,
  );
  return {
    figures: [
      atMost("soak: jobs with another answer than their picture's", wrong, 0),
      atMost("soak: workers lost", lost, 0),
      atMost("soak: memory during the last hundred jobs : the first", last / first, 1.05),
    ],
    details: { jobs: rss.length, wrong, lost, rss },
  };
}
