/**
 * What followers of `GET /events` cost a client that submits a job.
 *
 * @module
 */
import { median } from "@fovea/bench/table";
import { startService } from "@fovea/testing";
import { BARE, clientOf, untilReady } from "@fovea/testing/suite";

const ROUNDS = 4;
const SUBMISSIONS_A_ROUND = 100;

/** Between two submissions, so that followers hear of one before the next one comes. */
const PAUSE_MS = 10;

/** Opens followers in a process of their own, and says when they are there. */
const FOLLOW = `
  const [url, count] = Deno.args;
  await Promise.all(Array.from({ length: Number(count) }, async () => {
    const { body } = await fetch(url + "/events");
    body.pipeTo(new WritableStream());
  }));
  console.log("following");
`;

/** @returns median milliseconds of a submission with so many followers, as a multiple of one without */
export async function measureFollowers(count: number): Promise<number> {
  await using service = await startService("empty_inference", BARE);
  await untilReady(service);
  const { submit } = clientOf("", service.url);
  let entity = 0;
  const measure = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < SUBMISSIONS_A_ROUND; i++) {
      const from = performance.now();
      await submit("image_embedding", { media_store_id: ++entity });
      times.push(performance.now() - from);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return times;
  };
  const alone: number[] = [];
  const followed: number[] = [];
  await measure();
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(...await measure());
    const followers = new Deno.Command(Deno.execPath(), {
      args: ["eval", FOLLOW, service.url, `${count}`],
      stdout: "piped",
    }).spawn();
    const said = followers.stdout.getReader();
    await said.read();
    followed.push(...await measure());
    followers.kill("SIGKILL");
    await followers.status;
    await said.cancel();
  }
  return median(followed) / median(alone);
}
