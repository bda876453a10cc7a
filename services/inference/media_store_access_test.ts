/**
 * How inference gets to a media_store that wants a token, or speaks TLS.
 *
 * @module
 */
import type { Job } from "@fovea/contract";
import {
  makeCertificates,
  openssl,
  runServiceToEnd,
  type ServiceProcess,
  startGuarded,
  startService,
  temporaryFolder,
  testNeeding,
  tokenOf,
  until,
} from "@fovea/testing";
import { startProxy } from "@fovea/testing/proxy";
import { BARE, clientOf, untilReady } from "@fovea/testing/suite";
import assert from "node:assert/strict";

const astronaut = await Deno.readFile(
  new URL("../../clients/images/astronaut.png", import.meta.url),
);

async function jobDone(inference: ServiceProcess, media_store_id: number): Promise<Job> {
  const { submit, job } = clientOf("", inference.url);
  const { job_id } = await submit("face_detection", { media_store_id, force: true });
  return await until(`job ${job_id}`, async () => {
    const now = await job(job_id);
    return now.completed_at === null ? undefined : now;
  });
}

const readiness = async ({ url }: ServiceProcess): Promise<string> =>
  await (await fetch(`${url}/health/ready`)).text();

/** What a start with wrong settings says; it ends with exit code 2. */
async function refused(env: Record<string, string>): Promise<string> {
  const { code, stderr } = await runServiceToEnd("inference", { ...BARE, ...env });
  assert.equal(code, 2, stderr);
  return stderr;
}

Deno.test("the token is read from its file, anew when it changes, by workers too", async () => {
  await using store = await startGuarded("media_store", { READ_AUTH_ENABLED: "true" });
  await using folder = await temporaryFolder();
  const file = `${folder.path}/token`;
  const now = Math.floor(Date.now() / 1000);
  const good = await tokenOf(store.privateKey, { media_store_write: true });
  const form = new FormData();
  form.set("is_collection", "false");
  form.set("image", new File([astronaut], "astronaut.png"));
  const stored = await store.call("/entity/", good, { method: "POST", body: form });
  const { id } = await stored.json();

  await Deno.writeTextFile(file, `${good}\n`);
  await using inference = await startService("inference", {
    ...BARE,
    MEDIA_STORE_URL: store.service.url,
    FOVEA_TOKEN: "not this one",
    FOVEA_TOKEN_FILE: file,
  });
  await untilReady(inference);
  const first = await jobDone(inference, id);
  assert.deepEqual([first.status, first.error_message], ["completed", null]);

  // It has run out, and jobs wait until somebody has renewed it.
  await Deno.writeTextFile(file, await tokenOf(store.privateKey, { exp: now - 3600 }));
  const { submit, job } = clientOf("", inference.url);
  const { job_id } = await submit("face_detection", { media_store_id: id, force: true });
  await until("jobs wait", async () => {
    const said = await readiness(inference);
    return said.includes("jobs wait until it is back") ? said : undefined;
  });
  assert.equal((await job(job_id)).attempt, 0);
  await Deno.remove(file);
  await Deno.writeTextFile(file, good);
  const done = await until("it is renewed", async () => {
    const now = await job(job_id);
    return now.completed_at === null ? undefined : now;
  });
  assert.equal(done.status, "completed");
});

Deno.test("a token file that can't be read is refused at the start, and never named in answers", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/token`;
  assert.match(
    await refused({ FOVEA_TOKEN_FILE: file }),
    /Cannot start: .*token \(FOVEA_TOKEN_FILE\) can't be read: no such file/,
  );
  await Deno.writeTextFile(file, "any");
  await using store = await startService("media_store");
  await using inference = await startService("inference", {
    ...BARE,
    MEDIA_STORE_URL: store.url,
    FOVEA_TOKEN_FILE: file,
  });
  await Deno.remove(file);
  const said = await readiness(inference);
  assert.match(said, /the file that FOVEA_TOKEN_FILE names can't be read: no such file/);
  assert.ok(!said.includes(folder.path));
});

testNeeding(
  [openssl],
  "media_store is reached by https where MEDIA_STORE_CA_FILE names its issuer, and else not",
  async () => {
    await using certificates = await makeCertificates();
    const { ca, server: { cert, key } } = certificates;
    await using store = await startService("media_store");
    const { id } = await clientOf(store.url, "").upload(astronaut);
    const tls = { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
    await using proxy = startProxy({ target: store.url, tls });
    const settings = { ...BARE, MEDIA_STORE_URL: proxy.url };
    {
      await using inference = await startService("inference", {
        ...settings,
        MEDIA_STORE_CA_FILE: ca,
      });
      await untilReady(inference);
      const { checks } = JSON.parse(await readiness(inference));
      assert.deepEqual(
        [checks.media_store, checks.same_media_store],
        Array(2).fill({ state: "ok" }),
      );
      const job = await jobDone(inference, id);
      assert.deepEqual([job.status, job.result !== null], ["completed", true], job.error_message!);
    }
    await using stranger = await startService("inference", settings);
    assert.match(
      await readiness(stranger),
      /certificate is not trusted here: MEDIA_STORE_CA_FILE names a file of its issuers/,
    );
  },
);

Deno.test("a CA file that is of no use is refused at the start", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/ca.pem`;
  const https = { MEDIA_STORE_URL: "https://127.0.0.1:1", MEDIA_STORE_CA_FILE: file };
  assert.match(await refused(https), /ca\.pem \(MEDIA_STORE_CA_FILE\) can't be read: no such file/);
  await Deno.writeTextFile(file, "no certificate");
  assert.match(await refused(https), /\(MEDIA_STORE_CA_FILE\) has no certificate: expected a PEM/);
  assert.match(
    await refused({ ...https, MEDIA_STORE_URL: "http://127.0.0.1:1" }),
    /MEDIA_STORE_CA_FILE is for a media_store that speaks TLS: set MEDIA_STORE_URL to https/,
  );
});
