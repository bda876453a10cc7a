import type { Item, ProblemDocument } from "@fovea/contract";
import { type ServiceProcess, startService } from "@fovea/testing";
import assert from "node:assert/strict";
import { form, picture } from "./testing/test_app.ts";

const pause = (pauseMs: number) => new Promise((resolve) => setTimeout(resolve, pauseMs));

/** Of a machine that gives a service one part in a hundred of its time. */
const HELD_MS = 990;
const LET_GO_MS = 10;

/** Holds the service back until it is disposed of, as a machine does that has too much to do. */
function holdBack({ pid }: ServiceProcess): AsyncDisposable {
  let isOver = false;
  const held = (async () => {
    while (!isOver) {
      Deno.kill(pid, "SIGSTOP");
      await pause(HELD_MS);
      Deno.kill(pid, "SIGCONT");
      await pause(LET_GO_MS);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      await held;
    },
  };
}

async function upload(service: ServiceProcess, image: Blob): Promise<Response> {
  return await fetch(`${service.url}/entity/`, {
    ...form({ is_collection: "false", image }),
    signal: AbortSignal.timeout(120_000),
  });
}

Deno.test("no picture is refused for good because the machine had too much to do", async () => {
  await using service = await startService("media_store");
  const astronaut = await picture("astronaut.png");
  {
    // Its threads are still starting, which is what takes longest.
    await using _ = holdBack(service);
    const added = await upload(service, astronaut);
    if (added.ok) await added.body?.cancel();
    else assertBusy(await added.bytes());
  }
  // And afterwards all is as if nothing had been.
  const added = await upload(service, astronaut);
  assert.ok(added.ok);
  const { id }: Item = await added.json();
  const thumbnail = await fetch(`${service.url}/entity/${id}/thumbnail`);
  assert.equal(thumbnail.status, 200, await thumbnail.text());
});

function assertBusy(answer: Uint8Array): void {
  const { code, detail }: ProblemDocument = JSON.parse(new TextDecoder().decode(answer));
  assert.equal(code, "service_busy", detail);
}
