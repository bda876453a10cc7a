import assert from "node:assert/strict";
import { startService } from "@fovea/testing";
import { craftPng } from "./crafted_picture.ts";
import { form } from "./test_app.ts";

/** The figures of one name, as Prometheus's text writes them. */
async function figures(url: string, name: string): Promise<string[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text.split("\n").filter((line) => line.startsWith(name));
}

Deno.test("the store tells what it holds and took in", async () => {
  await using service = await startService("media_store");
  const { url } = service;
  const png = craftPng(30, 20);
  const status = async (fields: Parameters<typeof form>[0]) => {
    const answer = await fetch(`${url}/entity/`, form(fields));
    await answer.body?.cancel();
    return answer.status;
  };
  assert.deepEqual(await figures(url, "media_store_size_bytes"), ["media_store_size_bytes 0"]);

  const picture = { is_collection: "false", image: new Blob([png]) };
  assert.equal(await status(picture), 201);
  assert.equal(await status(picture), 409);
  assert.equal(await status({ is_collection: "true" }), 201);

  assert.deepEqual(await figures(url, "media_store_"), [
    `media_store_upload_bytes_total ${2 * png.length}`,
    `media_store_size_bytes ${png.length}`,
    'media_store_entities{is_collection="false",is_deleted="false"} 1',
    'media_store_entities{is_collection="true",is_deleted="false"} 1',
  ]);
  assert.deepEqual(await figures(url, 'http_requests_total{method="POST"'), [
    'http_requests_total{method="POST",route="/entity",status="201"} 2',
    'http_requests_total{method="POST",route="/entity",status="409"} 1',
  ]);

  await (await fetch(`${url}/entity/`, { method: "DELETE" })).body?.cancel();
  assert.deepEqual(await figures(url, "media_store_size_bytes"), ["media_store_size_bytes 0"]);
  assert.deepEqual(await figures(url, "media_store_entities"), []);
});
