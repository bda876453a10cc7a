/**
 * Both services behind a reverse proxy under a path, which it takes away from what it passes on.
 *
 * @module
 */
import { asJson, startService } from "@fovea/testing";
import { startProxy } from "@fovea/testing/proxy";
import { BARE } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { craftPng } from "../media_store/testing/crafted_picture.ts";

Deno.test("links lead through the proxy: Location, the document, the page, the broker", async () => {
  await using store = await startService("media_store", { BASE_PATH: "/fovea/store" });
  await using inference = await startService("empty_inference", {
    ...BARE,
    BASE_PATH: "/fovea/inference/",
    MEDIA_STORE_URL: store.url,
    ALLOWED_HOSTS: "fovea.example",
  });
  await using storeProxy = startProxy({ target: store.url, path: "/fovea/store" });
  await using proxy = startProxy({ target: inference.url, path: "/fovea/inference" });

  const form = new FormData();
  form.set("is_collection", "false");
  form.set("image", new File([new Uint8Array(craftPng(3, 2, 1))], "a.png"));
  const added = await fetch(`${storeProxy.url}/entity/`, { method: "POST", body: form });
  const item = await added.json();
  assert.equal(added.headers.get("Location"), `/fovea/store/entity/${item.id}`);
  const asked = await fetch(
    `${proxy.url}/job/face_detection`,
    asJson({ media_store_id: item.id }),
  );
  const job = await asked.json();
  assert.equal(asked.headers.get("Location"), `/fovea/inference/job/${job.job_id}`);

  const locations = [[storeProxy.url, added], [proxy.url, asked]] as const;
  for (const [url, answer] of locations) {
    const followed = await fetch(new URL(answer.headers.get("Location")!, url));
    assert.equal(followed.status, 200);
    await followed.body?.cancel();

    const page = await (await fetch(`${url}/docs`)).text();
    for (const [, link] of page.matchAll(/(?:href|src)="([^"]+)"/g)) {
      const file = await fetch(new URL(link!, `${url}/docs`));
      assert.equal(file.status, 200, `${link}`);
      await file.body?.cancel();
    }
    const document = await (await fetch(new URL("openapi.json", `${url}/docs`))).json();
    const server = new URL(document.servers[0].url, url).href;
    const health = await fetch(`${server}/health`);
    assert.equal(await health.text(), '{"status":"ok"}');
    const redirect = await fetch(`${url}/docs/`);
    assert.match(await redirect.text(), /swagger-ui/);
  }

  /** As it is told to a client that calls under a name, which `fetch` does not let one choose. */
  const brokerFor = async (host: string, more = "") => {
    const { hostname, port } = new URL(inference.url);
    using conn = await Deno.connect({ hostname, port: Number(port) });
    const head = `GET /info HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`;
    await conn.write(new TextEncoder().encode(head));
    return (await new Response(conn.readable).text()).match(/"mqtt_url":"([^"]+)"/)?.[1];
  };
  assert.equal(await brokerFor("fovea.example"), "ws://fovea.example/fovea/inference/mqtt");
  const local = await brokerFor("localhost");
  assert.match(local!, /^mqtt:\/\/127\.0\.0\.1:/);
  // What anyone can send changes nothing.
  const forwarded = "X-Forwarded-Prefix: /evil\r\nX-Forwarded-Host: evil.example\r\n" +
    "Forwarded: host=evil.example;proto=https\r\n";
  assert.equal(await brokerFor("localhost", forwarded), local);
});
