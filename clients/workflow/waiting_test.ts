import assert from "node:assert/strict";
import { faces, PICTURE } from "../testing/face_client.ts";
import { StandIn } from "../testing/stand_in.ts";

const badGateway = () => new Response("<h1>Bad Gateway</h1>", { status: 502 });

Deno.test("a service that is away for longer than a few tries is waited for", async () => {
  await using standIn = await StandIn.start();
  let submissions = 0;
  standIn.handler = (request) =>
    request.url.includes("/job/") && ++submissions < 6 ? badGateway() : undefined;
  assert.equal((await faces(standIn)).code, 0);
  assert.equal(standIn.jobs.size, 1);
});

Deno.test("a service that goes away and stays away ends with 4 when time is up", async () => {
  await using standIn = await StandIn.start();
  standIn.handler = ({ url }) => url.includes("/job/") ? badGateway() : undefined;
  const { code, stderr } = await faces(standIn, [PICTURE, "--timeout", "2"]);
  assert.equal(code, 4);
  assert.match(
    stderr,
    /inference went away and was not back at http:\/\/127.* within 2 s: the job/,
  );
});

/** The model is on its way until it is `ready()`, and the job is done then. */
function fetchModel(standIn: StandIn): () => void {
  const task = { task_type: "face_detection", model: null } as const;
  const progress = { bytes: 120e6, total_bytes: 352e6, seconds_left: 200 };
  standIn.info = { tasks: [{ ...task, state: "preparing", progress }] };
  return () => standIn.info = { tasks: [{ ...task, state: "ready" }] };
}

Deno.test("the time of a job does not run while its model is being fetched, and stderr shows that", async () => {
  await using standIn = await StandIn.start();
  const ready = fetchModel(standIn);
  standIn.onSubmit = (job) => {
    setTimeout(() => {
      ready();
      standIn.complete(job);
    }, 2500);
  };
  const { code, stderr } = await faces(standIn, [PICTURE, "--timeout", "1"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^inference is fetching its model: 120 of 352 MB, 3 minutes left$/m);
});

Deno.test("the time of a job runs from when its model is ready", async () => {
  await using standIn = await StandIn.start();
  const ready = fetchModel(standIn);
  standIn.onSubmit = () => {
    setTimeout(ready, 1000);
  };
  const { code, stderr } = await faces(standIn, [PICTURE, "--timeout", "0.5"]);
  assert.equal(code, 3);
  assert.match(stderr, /not done within 0\.5 s/);
});
