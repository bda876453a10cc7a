/**
 * `deno task demo`: all of Fovea once, from pictures to results, leaving nothing behind.
 *
 * @module
 */
import { type Info, Problem } from "@fovea/contract";
import { fetchModel, type ModelEntry, modelsFor } from "@fovea/models";
import { startService } from "@fovea/testing";
import { fileURLToPath } from "node:url";
import { pause } from "../workflow/abort.ts";
import { compileClients } from "../build/compile.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PICTURES = [
  "astronaut.png",
  "camera.png",
  "chelsea.png",
  "coffee.png",
  "horse.png",
  "rocket.jpg",
];

/** Settings of inference that the demo takes over from its own environment. */
const PASSED_ON = ["MODELS_DIR", "MODEL_MIRROR", "FACE_MODEL", "INFERENCE_WORKERS"];

/** How long the services may load their models: else the timings of the clients would include it. */
const WARM_UP_LIMIT_MS = 20_000;

const say = console.log;

async function demo(signal: AbortSignal): Promise<void> {
  const step = (title: string) => {
    signal.throwIfAborted();
    say(`\n${title}`);
  };
  say("Fovea, from pictures to faces and embeddings: two services and two command-line clients");
  step("1. The clients");
  await compileClients((line) => say(`   ${line}`));

  step("2. The embedding model");
  const embeddingModel = await chooseEmbeddingModel(signal);

  step("3. The services");
  await using mediaStore = await startService("media_store");
  say(`   media_store at ${mediaStore.url}`);
  await using inference = await startService("inference", {
    ...passedOn(),
    MEDIA_STORE_URL: mediaStore.url,
    EMBEDDING_MODEL: embeddingModel,
  });
  say(`   inference at ${inference.url}, with an MQTT broker of its own`);
  await warmUp(inference.url, signal);
  await sayFaceModel(inference.url, signal);

  const where = ["--media-store", hostOf(mediaStore.url), "--inference", hostOf(inference.url)];
  step("4. Faces");
  await runClient("dist/face-client", where, signal);
  step("5. Embeddings");
  await runClient("dist/embed-client", where, signal);
}

/** Fetches the real model; where that is not possible, says which model is used instead. */
async function chooseEmbeddingModel(signal: AbortSignal): Promise<string> {
  const choice = Deno.env.get("EMBEDDING_MODEL") || "auto";
  const model = modelsFor("image_embedding", choice)[0]!;
  if (!model.semantic) {
    say(`   ${model.name}: a fixture, as EMBEDDING_MODEL asks; its numbers mean nothing`);
    return model.name;
  }
  try {
    await fetchWithProgress(model, signal);
    say(`   ${model.name}`);
    return model.name;
  } catch (error) {
    if (choice !== "auto" || !(error instanceof Problem)) throw error;
    say(
      `   ${model.name} can't be fetched from here, so a fixture stands in for it: a small network\n` +
        "   of random weights. Its numbers show that everything works, and say nothing about the\n" +
        "   pictures. Faces are found by a real model.",
    );
    return "fixture";
  }
}

async function fetchWithProgress(model: ModelEntry, signal: AbortSignal): Promise<void> {
  let quarters = 0;
  await fetchModel(model, {
    modelsDir: Deno.env.get("MODELS_DIR") || `${ROOT}models/cache`,
    mirror: Deno.env.get("MODEL_MIRROR") || undefined,
    signal,
    onNotice: (sentence) => say(`   ${sentence}`),
    onProgress: (received, total) => {
      if (received < total * (quarters + 1) / 4) return;
      quarters++;
      say(`   ${Math.round(received / 1e6)} of ${Math.round(total / 1e6)} MB are there`);
    },
  });
}

function passedOn(): Record<string, string> {
  const values = PASSED_ON.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(values.filter(([, value]) => value)) as Record<string, string>;
}

/** Waits until inference has its models ready, but not longer than the limit. */
async function warmUp(url: string, signal: AbortSignal): Promise<void> {
  const until = Date.now() + WARM_UP_LIMIT_MS;
  while (Date.now() < until) {
    const info: Info = await (await fetch(`${url}/info`, { signal })).json();
    if (info.tasks.every(({ state }) => state !== "preparing")) return;
    await pause(100, signal);
  }
}

/** Says which model finds the faces, and what the model that needs no hub can't do. */
async function sayFaceModel(url: string, signal: AbortSignal): Promise<void> {
  const info: Info = await (await fetch(`${url}/info`, { signal })).json();
  const name = info.tasks.find(({ task_type }) => task_type === "face_detection")?.model?.name;
  if (!name?.startsWith("ultraface")) return;
  say(`   ${name} finds the faces, the model that needs no hub: it gives no landmarks.`);
}

/** Runs a client on the pictures, its command line shown as one would type it. */
async function runClient(program: string, where: string[], signal: AbortSignal): Promise<void> {
  const options = [...where, "--quiet"];
  const images = PICTURES.map((name) => `clients/images/${name}`);
  say(`   $ ${program} ${options.join(" ")} \\\n       ${images.join(" ")}\n`);
  const { code, stdout } = await new Deno.Command(`${ROOT}${program}`, {
    args: [...options, ...images],
    cwd: ROOT,
    stdin: "null",
    stderr: "inherit",
    signal,
  }).output();
  say(new TextDecoder().decode(stdout).trimEnd().replaceAll(/^/gm, "   "));
  if (code !== 0) throw new Error(`${program} ended with exit code ${code}`);
}

function hostOf(url: string): string {
  return new URL(url).host;
}

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => interrupted.abort(new Error(`stopped by ${signal}`)));
}
try {
  await demo(interrupted.signal);
  say("\nDone: the services were stopped, and their data removed.");
  Deno.exit(0);
} catch (error) {
  console.error(`\nCannot finish the demo: ${(error as Error).message}`);
  Deno.exit(1);
}
