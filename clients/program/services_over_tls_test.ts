/**
 * Services that speak TLS themselves, under a private authority, with their clients and each other.
 *
 * @module
 */
import {
  asJson,
  makeCertificates,
  openssl,
  startService,
  testNeeding,
  until,
} from "@fovea/testing";
import { BARE } from "@fovea/testing/suite";
import { connectAsync } from "mqtt";
import assert from "node:assert/strict";
import { runClient } from "../testing/client_process.ts";

const ASTRONAUT = new URL("../images/astronaut.png", import.meta.url).pathname;

testNeeding(
  [openssl],
  "both services speak https and wss where they have a certificate, to clients and to each other",
  async () => {
    await using certificates = await makeCertificates();
    const { ca, server: { cert, key } } = certificates;
    const tls = { TLS_CERT_FILE: cert, TLS_KEY_FILE: key };
    await using store = await startService("media_store", tls);
    await using inference = await startService("inference", {
      ...BARE,
      ...tls,
      MEDIA_STORE_URL: store.url,
      MEDIA_STORE_CA_FILE: ca,
    });
    assert.match(store.url, /^https:/);
    assert.match(inference.url, /^https:/);
    const pem = await Deno.readTextFile(ca);
    using client = Deno.createHttpClient({ caCerts: [pem] });
    const call = async (url: string, init: RequestInit = {}) => {
      const answer = await fetch(url, { ...init, client, signal: AbortSignal.timeout(20_000) });
      const body = await answer.text();
      assert.ok(answer.ok, `${url}: ${body}`);
      return { answer, body };
    };
    await until("ready", async () => {
      const answer = await fetch(`${inference.url}/health/ready`, { client });
      await answer.body?.cancel();
      return answer.ok;
    });
    for (const { url } of [store, inference]) {
      assert.equal((await call(`${url}/health`)).body, '{"status":"ok"}');
      assert.match((await call(`${url}/docs`)).body, /swagger-ui/);
    }

    for (const name of ["face-client", "embed-client"] as const) {
      const where = ["--media-store", store.url, "--inference", inference.url];
      const { code, stderr } = await runClient(name, [ASTRONAUT, ...where, "--ca-file", ca]);
      assert.equal(code, 0, stderr);
      const untrusted = await runClient(name, [ASTRONAUT, ...where]);
      assert.equal(untrusted.code, 4);
      assert.match(untrusted.stderr, /certificate is not trusted/);
    }

    const url = `${inference.url.replace("https", "wss")}/mqtt`;
    const socket = await connectAsync(url, { ca: pem, connectTimeout: 10_000 });
    await socket.subscribeAsync("inference/events", { qos: 1 });
    const heard: string[] = [];
    socket.on("message", (_topic, payload) => heard.push(payload.toString()));
    const job_id = crypto.randomUUID();
    const job = { media_store_id: 1, job_id, force: true };
    const { answer } = await call(`${inference.url}/job/face_detection`, asJson(job));
    assert.equal(answer.headers.get("Location"), `/job/${job_id}`);
    await until("the job's event", () => heard.some((text) => text.includes(job_id)));
    await socket.endAsync();

    // A client without TLS, and one that says nothing, do no harm.
    const { hostname, port } = new URL(store.url);
    using plain = await Deno.connect({ hostname, port: Number(port) });
    await plain.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await plain.read(new Uint8Array(100));
    assert.equal((await call(`${store.url}/health`)).body, '{"status":"ok"}');
    assert.equal((await store.kill("SIGTERM")).code, 0);
  },
);
