import { within } from "@fovea/testing";
import assert from "node:assert/strict";
import { MediaStoreOutage, probeMediaStore } from "./media_store_outage.ts";
import { silent } from "./testing/open_jobs.ts";

/** A media_store that is away, or not, as the test says. */
function open() {
  const store = { isAway: false, probes: 0 };
  const ended = Promise.withResolvers<void>();
  const outage = new MediaStoreOutage({
    probe: () => {
      store.probes++;
      return store.isAway ? Promise.reject(new Error("nobody there")) : Promise.resolve();
    },
    onEnd: ended.resolve,
    random: () => 0,
    log: silent,
  });
  return { store, outage, ended: ended.promise, [Symbol.dispose]: () => outage.close() };
}

Deno.test("a failure beside which media_store is well is no outage", async () => {
  using opened = open();
  assert.equal(await opened.outage.isAway(), false);
  assert.equal(opened.outage.reason, null);
});

Deno.test("an outage is found by one call for all that fail together, and ends by itself", async () => {
  using opened = open();
  const { store, outage } = opened;
  store.isAway = true;
  const found = await Promise.all([1, 2, 3].map(() => outage.isAway()));
  assert.deepEqual([...found, store.probes], [true, true, true, 1]);
  assert.equal(outage.reason, "nobody there");
  store.isAway = false;
  assert.equal(await outage.isAway(), true, "over before it was found to be");
  await within("the end of the outage", opened.ended);
  assert.equal(outage.reason, null);
});

Deno.test("what fails while the service ends is not to blame", async () => {
  using opened = open();
  opened.outage.close();
  assert.equal(await opened.outage.isAway(), true);
  assert.equal(opened.store.probes, 0);
});

Deno.test("media_store is well when it says so in JSON and lets itself be read", async () => {
  const answers: Record<string, () => Response> = {};
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answers[new URL(request.url).pathname]?.() ?? Response.json({}),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const probe = () => probeMediaStore({ url }, new AbortController().signal);
  await probe();
  const cases: [path: string, answer: () => Response, why: RegExp][] = [
    [
      "/health/ready",
      () => Response.json({ detail: "disk on fire" }, { status: 503 }),
      /503.*fire/,
    ],
    ["/health/ready", () => new Response("<html>"), /else than JSON: is MEDIA_STORE_URL/],
    ["/health/ready", () => Response.redirect(url), /302.*redirects are not followed/],
    ["/entity/", () => Response.json({ detail: "who are you?" }, { status: 401 }), /401.*who are/],
  ];
  for (const [path, answer, why] of cases) {
    answers[path] = answer;
    await assert.rejects(probe(), why);
    delete answers[path];
  }
});
