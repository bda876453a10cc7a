import type { Item, Job } from "@fovea/contract";
import {
  makeCertificates,
  mosquitto,
  openssl,
  overTls,
  startMosquitto,
  startService,
  startWebSocketGateway,
  temporaryFolder,
  testNeeding,
  within,
} from "@fovea/testing";
import { BARE, startSuite, type Suite, untilReady } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { compiledClients } from "../testing/compiled_clients.ts";
import { freePorts, nobody } from "../testing/free_ports.ts";
import { startProxy } from "@fovea/testing/proxy";

const picture = (name: string) => new URL(`../images/${name}`, import.meta.url).pathname;
const ASTRONAUT = picture("astronaut.png");

const clients = compiledClients();

// The services outlive each test, and what they write is read all the while: to Deno that looks like
// something a test began and did not end.
const outliving = { sanitizeOps: false, sanitizeResources: false };
let suite: Suite;
Deno.test.beforeAll(async () => {
  suite = await startSuite();
});
Deno.test.afterAll(async () => await suite[Symbol.asyncDispose]());

const where = () => ["--media-store", suite.mediaStore.url, "--inference", suite.inference.url];
const linesOf = (stdout: string) => stdout.trim().split("\n").map((line) => JSON.parse(line));

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ...outliving });
}

test("--label and --priority are kept by the services, whose addresses are host:port", async () => {
  const args = [picture("coffee.png"), "--label", "A cup", "--priority", "9", "--json"];
  const { code, stdout, stderr } = await clients.run("face-client", [
    ...["--media-store", new URL(suite.mediaStore.url).host],
    ...["--inference", new URL(suite.inference.url).host, ...args],
  ]);
  assert.equal(code, 0, stderr);
  const [line] = linesOf(stdout);
  const item: Item = await (await fetch(`${suite.mediaStore.url}/entity/${line.media_store_id}`))
    .json();
  assert.equal(item.label, "A cup");
  const job = await suite.job(line.job_id);
  assert.equal(job.priority, 9);
  assert.equal(job.sha256, item.sha256);
  assert.equal(line.sha256, item.sha256);
});

test("--mqtt takes the broker's address in place of the one inference names", async () => {
  const { mqtt_url } = await suite.info();
  const args = [picture("horse.png"), ...where(), "--mqtt"];
  assert.equal((await clients.run("face-client", [...args, mqtt_url])).code, 0);
  assert.equal((await clients.run("face-client", [...args, `mqtt://${nobody()}`])).code, 4);
});

test("--quiet leaves stderr empty, --no-results stdout; asked twice, the result is there", async () => {
  const args = [ASTRONAUT, ...where()];
  const first = await clients.run("face-client", [...args, "--no-results"]);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stdout, "");
  assert.match(first.stderr, /waiting for job/);
  const second = await clients.run("face-client", [...args, "--quiet"]);
  assert.equal(second.code, 0);
  assert.equal(second.stderr, "");
  assert.match(second.stdout, /astronaut\.png: 1 face, 512 × 512 pixels/);
});

test("--json has a line for each picture, and stderr has the count", async () => {
  await using folder = await temporaryFolder();
  const broken = `${folder.path}/broken.png`;
  await Deno.writeFile(broken, (await Deno.readFile(ASTRONAUT)).slice(0, 20_000));
  const args = [ASTRONAUT, broken, "no-such.png", ...where(), "--json"];
  const { code, stdout, stderr } = await clients.run("embed-client", args);
  assert.equal(code, 5, stderr);
  const lines = linesOf(stdout);
  assert.deepEqual(lines.map(({ file }) => file), args.slice(0, 3));
  assert.equal(lines[0].result.embedding_dimension, 512);
  assert.equal(lines[0].error_code, undefined);
  assert.match(lines[1].error_code, /^image_|unsupported_media/);
  assert.equal(lines[2].error_code, "usage");
  assert.match(stderr, /^3 pictures: .*not stored; 2 failed$/m);
});

test("--timeout ends the wait with 3 where the job does not end", async () => {
  // Stopped where it stands: connections stay, and nothing is done.
  const { pid } = suite.inference;
  await using proxy = startProxy({
    target: suite.inference.url,
    before: (request) => {
      if (request.method === "POST") setTimeout(() => Deno.kill(pid, "SIGSTOP"), 1);
      return Promise.resolve();
    },
  });
  const started = performance.now();
  try {
    const args = [picture("rocket.jpg"), ...where(), "--inference", proxy.url, "--timeout", "1.5"];
    const { code, stderr } = await clients.run("face-client", args);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /not done within 1\.5 s/);
    assert.ok(performance.now() - started > 1500);
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
});

test("a stored picture that is deleted is looked at, and said to be deleted", async () => {
  const item = await suite.upload(await Deno.readFile(picture("chelsea.png")));
  const response = await fetch(`${suite.mediaStore.url}/entity/${item.id}`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: '{"is_deleted": true}',
  });
  assert.equal(response.status, 200, await response.text());
  const { stderr } = await clients.run("face-client", [picture("chelsea.png"), ...where()]);
  assert.match(stderr, new RegExp(`as entity ${item.id}, which is deleted: PATCH`));
});

/** Puts other bytes in an entity's place. */
async function replace(id: number, file: string): Promise<void> {
  const form = new FormData();
  form.set("is_collection", "false");
  form.set("image", new File([await Deno.readFile(file)], "picture"));
  const url = `${suite.mediaStore.url}/entity/${id}`;
  const response = await fetch(url, { method: "PUT", body: form });
  if (!response.ok) throw new Error(await response.text());
  await response.body?.cancel();
}

/** The picture with some bytes after its end: another file that looks the same. */
async function variant(folder: string, name: string): Promise<string> {
  const file = `${folder}/${crypto.randomUUID()}.png`;
  const bytes = await Deno.readFile(picture(name));
  await Deno.writeFile(file, bytes);
  await Deno.writeTextFile(file, crypto.randomUUID(), { append: true });
  return file;
}

test("a picture that took another's place gets its own result", async () => {
  await using folder = await temporaryFolder();
  const nobody = await variant(folder.path, "horse.png");
  const somebody = await variant(folder.path, "astronaut.png");
  const before = await clients.run("face-client", [nobody, ...where(), "--json"]);
  const [{ media_store_id, result }] = linesOf(before.stdout);
  assert.equal(result.face_count, 0);
  await replace(media_store_id, somebody);
  const after = await clients.run("face-client", [somebody, ...where(), "--json"]);
  const [line] = linesOf(after.stdout);
  assert.equal(line.media_store_id, media_store_id);
  assert.equal(line.result.face_count, 1);
});

test("a picture whose bytes are replaced while the client runs gets its own result", async () => {
  await using folder = await temporaryFolder();
  const mine = await variant(folder.path, "astronaut.png");
  const other = await variant(folder.path, "horse.png");
  let replaced: number | undefined;
  await using proxy = startProxy({
    target: suite.inference.url,
    before: async (request) => {
      if (request.method !== "POST" || replaced !== undefined) return;
      replaced = (await request.clone().json()).media_store_id as number;
      await replace(replaced, other);
    },
  });
  const args = [mine, ...where(), "--inference", proxy.url, "--json"];
  const { code, stdout, stderr } = await clients.run("face-client", args);
  assert.equal(code, 0, stderr);
  const [line] = linesOf(stdout);
  assert.equal(line.result.face_count, 1);
  assert.notEqual(line.media_store_id, replaced);
  assert.match(stderr, /is not of these bytes: asking anew/);
});

test("services that lie under a path of a proxy are reached there", async () => {
  await using store = startProxy({ target: suite.mediaStore.url, path: "/fovea/store" });
  await using inference = startProxy({ target: suite.inference.url, path: "/fovea/look" });
  const args = [ASTRONAUT, "--media-store", store.url, "--inference", `${inference.url}/`];
  const { code, stdout, stderr } = await clients.run("face-client", args);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /1 face/);
});

testNeeding(
  [openssl, mosquitto],
  "https, mqtts and wss are taken from issuers that --ca-file names, and from no others",
  async () => {
    await using certificates = await makeCertificates();
    const { ca, server: { cert, key } } = certificates;
    await using broker = await startMosquitto(overTls(certificates));
    const tls = { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
    await using store = startProxy({ target: suite.mediaStore.url, tls });
    await using inference = startProxy({ target: suite.inference.url, tls });
    const services = ["--media-store", store.url, "--inference", inference.url];
    const trusted = [ASTRONAUT, ...services, "--ca-file", ca];
    const { code, stderr } = await clients.run("face-client", trusted);
    assert.equal(code, 0, stderr);

    const untrusted = await clients.run("face-client", [ASTRONAUT, ...services]);
    assert.equal(untrusted.code, 4);
    assert.match(untrusted.stderr, /its certificate is not trusted here: --ca-file names a file/);

    await using open = await startMosquitto();
    await using gateway = await startWebSocketGateway(open.port, certificates.server);
    for (const { url } of [broker, gateway]) {
      const mqtt = ["--mqtt", url.replace("//", "//me:secret@"), "--timeout", "1"];
      // The job has ended: its result is there, whichever broker is asked.
      const heard = await clients.run("face-client", [...trusted, ...mqtt]);
      assert.equal(heard.code, 0, `${url}: ${heard.stderr}`);
      const refused = await clients.run("face-client", [ASTRONAUT, ...where(), ...mqtt]);
      assert.equal(refused.code, 4);
      const { protocol } = new URL(url);
      assert.match(
        refused.stderr,
        new RegExp(`broker can't be reached at ${protocol}//127.*certificate is not trust`),
      );
      assert.doesNotMatch(refused.stderr, /secret/);
    }

    const missing = await clients.run("face-client", [...trusted, "--ca-file", `${ca}.no`]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /\(--ca-file\) can't be read: no such file/);
    const noPem = await clients.run("face-client", [...trusted, "--ca-file", ASTRONAUT]);
    assert.equal(noPem.code, 2);
    assert.match(noPem.stderr, /\(--ca-file\) has no certificate: expected a PEM file/);
  },
  outliving,
);

test("a client that waits goes on waiting while inference is started again", async () => {
  await using folder = await temporaryFolder();
  const [port, mqttPort] = freePorts(2) as [string, string];
  const settings = {
    ...BARE,
    MEDIA_STORE_URL: suite.mediaStore.url,
    DATA_DIR: folder.path,
    INFERENCE_PORT: port,
    MQTT_PORT: mqttPort,
  };
  const before = await startService("inference", settings);
  await untilReady(before);
  const names = ["astronaut.png", "chelsea.png", "coffee.png", "horse.png", "camera.png"];
  const images = await Promise.all(names.map((name) => variant(folder.path, name)));
  const options = ["--inference", before.url, "--timeout", "60", "--json"];
  const { program, args } = clients.command("face-client", [...images, ...where(), ...options]);
  await using client = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const submitted = Promise.withResolvers<void>();
  const output = client.stdout.text();
  const text = new TextDecoder();
  let progress = "";
  const reading = (async () => {
    for await (const part of client.stderr) {
      progress += text.decode(part);
      if (progress.includes("waiting for job")) submitted.resolve();
    }
    submitted.reject(new Error(`the client ended without a job: ${progress}`));
  })();
  await within("a job that was submitted", submitted.promise);
  await before.kill("SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const restarted = Date.now();
  await using _after = await startService("inference", settings);
  const { code } = await within("the end of the client", client.status);
  await reading;
  assert.equal(code, 0, progress);
  const jobs = linesOf(await output) as Job[];
  assert.equal(jobs.length, images.length);
  const ends = await Promise.all(jobs.map(async ({ job_id }) => {
    const job: Job = await (await fetch(`http://127.0.0.1:${port}/job/${job_id}`)).json();
    return job.completed_at ?? 0;
  }));
  // Else it was over before it began.
  assert.ok(Math.max(...ends) > restarted, "all jobs had ended before the restart");
});
