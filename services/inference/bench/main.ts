/**
 * How long a job takes from its POST to its event, on an idle and warm service, and what part of it
 * is the services' own: everything but fetching, decoding and inferring.
 *
 *     deno task bench
 *
 * @module
 */
import type { FaceDetectionResult, JobEndedEvent, TaskType } from "@fovea/contract";
import { BARE, openHouse } from "@fovea/testing/house";
import { testModel, yunet } from "@fovea/testing/models";
import { subscribe } from "../testing/subscriber.ts";
import { median, printTable } from "./table.ts";

const RUNS = 100;
const WARM_UP = 20;

const picture = new URL("../../../clients/images/astronaut.png", import.meta.url);

interface Run {
  /** Milliseconds from sending the POST to hearing the event. */
  total: number;
  fetch: number;
  decode: number;
  infer: number;
  own: number;
}

async function measure(task: TaskType, env: Record<string, string>): Promise<Run[]> {
  await using house = await openHouse(env);
  const { id } = await house.upload(await Deno.readFile(picture), "astronaut.png");
  const { mqtt_url } = await house.info();
  await using subscriber = await subscribe(mqtt_url, "inference/job/+/completed");
  const runs: Run[] = [];
  for (let run = 0; run < WARM_UP + RUNS; run++) {
    const job_id = crypto.randomUUID();
    const from = performance.now();
    await house.submit(task, { media_store_id: id, job_id, force: true });
    const heard = await subscriber.until(({ topic }) => topic.includes(job_id));
    const total = performance.now() - from;
    subscriber.heard.length = 0;
    const { event, error_message }: JobEndedEvent = JSON.parse(heard.payload);
    if (event !== "job_completed") {
      throw new Error(`Cannot measure: a job failed: ${error_message}`);
    }
    if (run < WARM_UP) continue;
    const { timings_ms, result } = await house.job(job_id);
    if (task === "face_detection" && (result as FaceDetectionResult).face_count !== 1) {
      throw new Error("Cannot measure: the astronaut's face was not found");
    }
    const { fetch, decode, infer } = timings_ms!;
    runs.push({ total, fetch, decode, infer, own: total - fetch - decode - infer });
  }
  return runs;
}

function row(name: string, runs: Run[]): string[] {
  const of = (part: keyof Run) => median(runs.map((run) => run[part])).toFixed(1);
  return [name, of("total"), of("fetch"), of("decode"), of("infer"), of("own")];
}

const rows = [];
if (yunet.isThere) {
  const env = { FACE_MODEL: "yunet-2023mar" };
  rows.push(row("face_detection, yunet-2023mar", await measure("face_detection", env)));
} else {
  console.error(`face_detection with yunet-2023mar is left out: needs ${yunet.what}`);
}
await testModel("face_detection", BARE.FACE_MODEL);
rows.push(row("face_detection, ultraface-rfb-320", await measure("face_detection", {})));
rows.push(row("image_embedding, fixture", await measure("image_embedding", {})));

console.log(`astronaut.png, 512 × 512, one job at a time, one worker: median ms of ${RUNS} runs\n`);
printTable(["task, model", "POST to event", "fetch", "decode", "infer", "services' own"], rows);
