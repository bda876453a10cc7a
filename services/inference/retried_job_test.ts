/**
 * What subscribers hear of a job that ended in error and is retried.
 *
 * @module
 */
import { asJson, startService, until } from "@fovea/testing";
import { BARE, clientOf, untilReady } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { subscribe } from "./testing/subscriber.ts";

const astronaut = await Deno.readFile(
  new URL("../../clients/images/astronaut.png", import.meta.url),
);

/** A media_store whose pictures are missing at first, and then come when they are let. */
function startSlowStore() {
  const { promise: picture, resolve } = Promise.withResolvers<Response>();
  let isMissing = true;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (!new URL(request.url).pathname.endsWith("/image")) return Response.json({});
    if (!isMissing) return picture;
    return Response.json({ code: "entity_not_found" }, { status: 404 });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    find: () => void (isMissing = false),
    send: () => resolve(new Response(astronaut)),
    [Symbol.asyncDispose]: async () => {
      resolve(new Response(astronaut));
      await server.shutdown();
    },
  };
}

for (const retry of ["/job/{job_id}/retry", "/admin/retry"]) {
  Deno.test(`a client that subscribes after POST ${retry} hears the new end of the job, and no old one`, async () => {
    await using store = startSlowStore();
    await using inference = await startService("inference", {
      ...BARE,
      MEDIA_STORE_URL: store.url,
    });
    await untilReady(inference);
    const { submit, ended, job, info } = clientOf(store.url, inference.url);
    const { job_id } = await submit("face_detection", { media_store_id: 1 });
    assert.equal((await ended(job_id)).error_code, "entity_not_found");
    const { mqtt_url } = await info();
    const topic = `inference/job/${job_id}/completed`;
    await using early = await subscribe(mqtt_url, topic);
    await early.until(({ payload }) => payload.includes("job_failed"));

    store.find();
    const url = inference.url + retry.replace("{job_id}", job_id);
    const answer = await fetch(url, asJson({}));
    assert.equal(answer.status, 200, await answer.text());
    await until("a worker is busy with it", async () => (await job(job_id)).status !== "pending");
    await early.until(({ payload }) => payload === "");
    await using late = await subscribe(mqtt_url, topic);
    store.send();
    await late.until(({ payload }) => payload.includes("job_completed"));
    assert.equal(late.heard.length, 1, JSON.stringify(late.heard));
    await using later = await subscribe(mqtt_url, topic);
    await later.until(({ payload, retained }) => retained && payload.includes("job_completed"));
  });
}
