import type { Item, Job, ProblemDocument } from "@fovea/contract";
import { startSuite, type Suite } from "@fovea/testing/suite";
import { MagickFormat } from "@imagemagick/magick-wasm";
import assert from "node:assert/strict";
import { makeBase, mutate, randomOf } from "./testing/mutated_pictures.ts";

/** Each is mutated in turn: what people send, and two that few do. */
const FORMATS = [
  ...[MagickFormat.Jpeg, MagickFormat.Pjpeg, MagickFormat.Png, MagickFormat.WebP],
  ...[MagickFormat.Gif, MagickFormat.Tiff, MagickFormat.Bmp, MagickFormat.Avif, MagickFormat.Ico],
];

const PICTURES = 1800;
const SEED = 20_261_126;

/** Fewer pictures are tried on a machine that is busy; so many at least. */
const TIME_MS = 75_000;
const MIN_PICTURES = 90;
const SENDERS = 6;
const MAX_ANSWER_MS = 10_000;

/** What the libraries would say of themselves: places in their sources, and their own names of errors. */
const LIBRARY_WORDS = /`|@ |error\/|\(\d+\.\d+\)|[a-z][A-Z][a-z]+[A-Z]|libpng|magick/;

const WORKER_LOST = ["worker_lost", "poisoned", "deadline_exceeded", "internal_error"];

/** Asks for something, and holds the answer to what must be true of any. */
async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const signal = AbortSignal.timeout(MAX_ANSWER_MS);
  const answer = await fetch(url, { ...init, signal });
  const bytes = await answer.bytes();
  if (!answer.ok) {
    const { code, detail }: ProblemDocument = JSON.parse(new TextDecoder().decode(bytes));
    assert.ok(answer.status < 500, `${url}: ${answer.status} ${code}: ${detail}`);
    assert.doesNotMatch(detail, LIBRARY_WORDS);
  }
  return new Response(bytes, answer);
}

/** @returns the job, where the picture was stored */
async function tryPicture(
  suite: Suite,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string | undefined> {
  const form = new FormData();
  form.set("is_collection", "false");
  form.set("image", new File([bytes], "picture"));
  const upload = await ask(`${suite.mediaStore.url}/entity/`, { method: "POST", body: form });
  if (!upload.ok) return undefined;
  const { id, type }: Item = await upload.json();
  // What is a picture no more by its first bytes is kept as something else.
  if (type !== "image") return undefined;
  const thumbnail = await ask(`${suite.mediaStore.url}/entity/${id}/thumbnail?size=64`);
  assert.ok([200, 404, 422, 429].includes(thumbnail.status), `thumbnail: ${thumbnail.status}`);
  const job = await ask(`${suite.inference.url}/job/face_detection`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ media_store_id: id }),
  });
  return job.ok ? (await job.json() as Job).job_id : undefined;
}

Deno.test("mutated pictures cost no service, no worker and no patience", async () => {
  await using suite = await startSuite({ INFERENCE_WORKERS: "2" });
  const bases = await Promise.all(FORMATS.map(makeBase));
  const random = randomOf(SEED);
  let looked = 0;
  const end = Date.now() + TIME_MS;
  let tried = 0;
  const sender = async () => {
    while (tried < PICTURES && Date.now() < end) {
      const number = tried++;
      const bytes = mutate(bases[number % bases.length]!, random);
      try {
        const job = await tryPicture(suite, bytes);
        if (job === undefined) continue;
        // No sender is ahead of the workers: what waits long is not for want of time.
        const { status, error_code, error_message } = await suite.ended(job);
        assert.ok(!WORKER_LOST.includes(error_code ?? ""), `job ${job}: ${error_code}`);
        if (status === "error") assert.doesNotMatch(error_message!, LIBRARY_WORDS);
        looked++;
      } catch (error) {
        throw new Error(`picture ${number}, ${FORMATS[number % bases.length]}`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));

  assert.ok(tried >= MIN_PICTURES, `${tried} pictures were tried`);
  assert.ok(looked > tried / 4, `${looked} of ${tried} pictures were stored`);
  console.log(`${tried} pictures were tried, of which ${looked} were stored and looked at`);
  for (const { url } of [suite.mediaStore, suite.inference]) {
    assert.equal((await ask(`${url}/health/ready`)).status, 200);
  }
  const lines = [...suite.mediaStore.log(), ...suite.inference.log()];
  // An unreadable picture is nobody's failure.
  assert.deepEqual(lines.filter(({ level }) => ["warn", "error", "fatal"].includes(level)), []);
});
