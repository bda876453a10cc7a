import assert from "node:assert/strict";
import { asJson, startService } from "@fovea/testing";
import { craftPng } from "./testing/crafted_picture.ts";
import { form, type FormFields, picture } from "./testing/test_app.ts";

/** The figures of one name, as Prometheus's text writes them. */
async function figures(url: string, name: string): Promise<string[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text.split("\n").filter((line) => line.startsWith(name));
}

Deno.test("the store tells what it holds and took in", async () => {
  await using service = await startService("media_store");
  const { url } = service;
  const [first, second] = [craftPng(30, 20, 1), craftPng(30, 20, 2)];
  const send = async (path: string, fields: FormFields, method?: string) => {
    const answer = await fetch(`${url}${path}`, form(fields, method));
    await answer.body?.cancel();
    return answer.status;
  };
  assert.deepEqual(await figures(url, "media_store_size_bytes"), ["media_store_size_bytes 0"]);

  const file = (bytes: Uint8Array<ArrayBuffer>) => ({
    is_collection: "false",
    image: new Blob([bytes]),
  });
  assert.equal(await send("/entity/", file(first)), 201);
  assert.equal(await send("/entity/", file(first)), 200);
  assert.equal(await send("/entity/", { is_collection: "true" }), 201);
  assert.equal(await send("/entity/1", file(second), "PUT"), 200);
  // Bytes that an older version of another entity has: they are on the disk once.
  assert.equal(await send("/entity/", file(first)), 201);
  const deletion = asJson({ is_deleted: true }, "PATCH");
  await (await fetch(`${url}/entity/1`, deletion)).body?.cancel();

  assert.deepEqual(await figures(url, "media_store_"), [
    `media_store_upload_bytes_total ${3 * first.length + second.length}`,
    `media_store_size_bytes ${first.length + second.length}`,
    'media_store_entities{kind="collection",is_deleted="false"} 1',
    'media_store_entities{kind="image",is_deleted="false"} 1',
    'media_store_entities{kind="image",is_deleted="true"} 1',
    'media_store_thumbnails_total{outcome="made"} 0',
    'media_store_thumbnails_total{outcome="cached"} 0',
    'media_store_thumbnails_total{outcome="failed"} 0',
    "media_store_thumbnail_bytes_total 0",
  ]);
  assert.deepEqual(await figures(url, 'http_requests_total{method="POST"'), [
    'http_requests_total{method="POST",route="/entity",status="201"} 3',
    'http_requests_total{method="POST",route="/entity",status="200"} 1',
  ]);

  await (await fetch(`${url}/entity/`, { method: "DELETE" })).body?.cancel();
  assert.deepEqual(await figures(url, "media_store_size_bytes"), ["media_store_size_bytes 0"]);
  assert.deepEqual(await figures(url, "media_store_entities"), []);
});

Deno.test("the store counts thumbnails by what became of them, and no upload by them", async () => {
  await using service = await startService("media_store");
  const { url } = service;
  const astronaut = await picture("astronaut.png");
  for (const image of [astronaut, new Blob([craftPng(30, 20)])]) {
    await (await fetch(`${url}/entity/`, form({ is_collection: "false", image }))).body?.cancel();
  }
  const thumbnail = async (id: number) =>
    (await (await fetch(`${url}/entity/${id}/thumbnail`)).bytes()).length;
  const size = await thumbnail(1);
  for (const id of [1, 1, 2]) await thumbnail(id);
  assert.deepEqual(await figures(url, "media_store_thumbnail"), [
    'media_store_thumbnails_total{outcome="made"} 1',
    'media_store_thumbnails_total{outcome="cached"} 2',
    'media_store_thumbnails_total{outcome="failed"} 1',
    `media_store_thumbnail_bytes_total ${size}`,
  ]);
  assert.deepEqual(await figures(url, "media_store_upload_bytes_total"), [
    `media_store_upload_bytes_total ${astronaut.size + craftPng(30, 20).length}`,
  ]);
});
