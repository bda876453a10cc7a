import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fetchFirst, type FetchFirstOptions } from "./fetch_first.ts";
import { ModelUnavailable } from "./fetch_model.ts";
import type { ModelEntry } from "./manifest.ts";
import { type Fault, patterned, serveFile } from "./testing/file_server.ts";

const bytes = patterned(300_000);
const FAST = { firstMs: 2, factor: 2, maxMs: 20 };

/** A model for faces that a server has. */
function hosted(name: string, url: string): ModelEntry {
  return {
    name,
    aliases: [],
    task_type: "face_detection",
    auto: true,
    semantic: true,
    file: `${name}.onnx`,
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    licence: "MIT",
    source: { kind: "http", url, revision: "0".repeat(40) },
  };
}

/** Fetches the first of "best" and "second", each from a server with faults of its own. */
async function fetchOf(
  faults: { best: Fault[]; second?: Fault[] },
  options: Partial<FetchFirstOptions> = {},
) {
  await using folder = await temporaryFolder();
  await using best = serveFile(bytes, faults.best);
  await using second = serveFile(bytes, faults.second);
  const entries = [hosted("best", best.url)];
  if (faults.second !== undefined) entries.push(hosted("second", second.url));
  const failures: string[] = [];
  const pauses: number[] = [];
  let refusal: string | null = null;
  const fetched = await fetchFirst(entries, {
    modelsDir: folder.path,
    pauses: FAST,
    onFailure: (entry, why, pauseMs) => {
      assert.match(why, new RegExp(`^Cannot fetch the model ${entry.name} from `));
      failures.push(entry.name);
      pauses.push(pauseMs);
    },
    ...options,
  }).catch((error) => {
    if (!(error instanceof ModelUnavailable)) throw error;
    refusal = error.message;
    return null;
  });
  if (fetched !== null) assert.deepEqual(await Deno.readFile(fetched.path), bytes);
  return { name: fetched?.entry.name, refusal, failures, pauses, ranges: best.ranges };
}

const times = (count: number, fault: Fault): Fault[] => Array(count).fill(fault);

Deno.test("a hub that is away for long is asked until it is back, with growing pauses", async () => {
  const { name, failures, pauses } = await fetchOf({ best: times(12, { status: 503 }) });
  assert.equal(name, "best");
  assert.equal(failures.length, 12);
  assert.ok(pauses[0]! <= FAST.firstMs, `the first pause is ${pauses[0]} ms`);
  assert.ok(pauses[11]! >= FAST.maxMs / 2, `the last pause is ${pauses[11]} ms`);
});

Deno.test("a download that breaks many times goes on where it broke, after short pauses", async () => {
  const breaking = times(7, { after: { bytes: 20_000, then: "break" } });
  const { name, ranges, pauses } = await fetchOf({ best: breaking });
  assert.equal(name, "best");
  assert.equal(ranges.length, 8);
  assert.equal(ranges.at(-1), "bytes=140000-");
  assert.ok(Math.max(...pauses) <= FAST.firstMs, `pauses are ${pauses} ms`);
});

Deno.test("a wrong file is fetched again, and only refused when it stays wrong", async () => {
  const wrong = { content: new Uint8Array(bytes.length) };
  const once = await fetchOf({ best: [wrong, wrong] });
  assert.equal(once.name, "best");
  const always = await fetchOf({ best: times(9, wrong) });
  assert.equal(always.ranges.length, 3);
  assert.match(
    always.refusal!,
    /^Cannot fetch the model best from .* has sha256 .*, or set MODEL_/,
  );
});

Deno.test("what is refused between outages is not given up", async () => {
  const faults = [404, 404, 500, 404, 404, 429].map((status) => ({ status }));
  const { name, failures } = await fetchOf({ best: faults });
  assert.equal(name, "best");
  assert.equal(failures.length, 6);
});

Deno.test("a short break does not make the second best model come", async () => {
  const { name } = await fetchOf({
    best: [...times(7, { after: { bytes: 5000, then: "break" } }), ...times(3, { status: 502 })],
    second: [],
  });
  assert.equal(name, "best");
});

Deno.test("where the best model's hub stays away the second best is taken", async () => {
  const { name } = await fetchOf({ best: times(1000, { status: 502 }), second: [] }, {
    fallback: { unreachedMs: 100, brokenMs: 60_000 },
  });
  assert.equal(name, "second");
});

Deno.test("a hub that gave bytes is waited for longer than one that gave none", async () => {
  const fallback = { unreachedMs: 1, brokenMs: 60_000 };
  const { name } = await fetchOf({
    best: [...times(5, { after: { bytes: 5000, then: "break" } }), ...times(5, { status: 502 })],
    second: [],
  }, { fallback });
  assert.equal(name, "best");
});

Deno.test("where no hub can be reached each model has its turn until one comes", async () => {
  const { name, failures } = await fetchOf({
    best: times(1000, { status: 502 }),
    second: times(7, { status: 502 }),
  }, { fallback: { unreachedMs: 20, brokenMs: 20 } });
  assert.equal(name, "second");
  assert.match(failures.join(" "), /best.* second.* best.* second/);
});

Deno.test("a model that is refused leaves the other one all the time it needs", async () => {
  const { name, failures } = await fetchOf({
    best: times(1000, { status: 404 }),
    second: times(20, { status: 502 }),
  }, { fallback: { unreachedMs: 20, brokenMs: 20 } });
  assert.equal(name, "second");
  assert.equal(failures.filter((failed) => failed === "best").length, 2);
});

Deno.test("waiting for a hub ends when the signal says so", async () => {
  const stop = new AbortController();
  const fetching = fetchOf({ best: [{ status: 503 }] }, {
    signal: stop.signal,
    pauses: { firstMs: 60_000, factor: 1, maxMs: 60_000 },
    onFailure: () => stop.abort(new Error("stopped")),
  });
  await assert.rejects(fetching, new Error("stopped"));
});
