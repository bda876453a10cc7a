/**
 * Fills two empty services with some of everything that a DATA_DIR can hold, and prints what a later
 * version has to find there: see README.md.
 *
 * @module
 */
import type { Item, Job } from "@fovea/contract";

const [mediaStore, inference] = Deno.args;
const PICTURES = new URL("pictures/", import.meta.url);
const FACES = "face_detection";
const EMBEDDING = "image_embedding";

async function call<T>(url: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(url, init);
  const body = await answer.json();
  if (!answer.ok) throw new Error(`${init?.method ?? "GET"} ${url}: ${body.detail}`);
  return body;
}

async function formOf(fields: Record<string, string>, picture?: string): Promise<FormData> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  if (picture !== undefined) {
    form.set("image", new File([await Deno.readFile(new URL(picture, PICTURES))], picture));
  }
  return form;
}

const add = async (fields: Record<string, string>, picture?: string): Promise<Item> =>
  await call(`${mediaStore}/entity/`, { method: "POST", body: await formOf(fields, picture) });

const json = (method: string, body: unknown) => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

const change = (id: number, body: unknown): Promise<Item> =>
  call(`${mediaStore}/entity/${id}`, json("PATCH", body));

const submit = (task: string, media_store_id: number, priority = 5): Promise<Job> =>
  call(`${inference}/job/${task}`, json("POST", { media_store_id, priority }));

async function ended(id: string): Promise<Job> {
  for (let left = 600; left > 0; left--) {
    const job = await call<Job>(`${inference}/job/${id}`);
    if (!["pending", "processing"].includes(job.status)) return job;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Cannot wait any longer for job ${id}`);
}

const file = { is_collection: "false" };
const album = await add({ is_collection: "true", label: "Album", description: "Café" });
const inAlbum = { ...file, parent_id: String(album.id) };
const face = await add({ ...inAlbum, label: "Eileen Collins" }, "face.jpg");
const horse = await add(file, "horse.png");
const cat = await add({ ...inAlbum, label: "Chelsea" }, "cat.webp");
const cup = await add(file, "cup.gif");
const replaced = await add({ ...file, label: "first" }, "whole.jpg");
const broken = await add({ ...file, label: "broken" }, "broken.png");
const gone = await add(file, "rocket.jpg");

await change(horse.id, { label: "Horse" });
await change(horse.id, { label: "Horse, seen from the side", parent_id: album.id });
const thumbnail = `${mediaStore}/entity/${face.id}/thumbnail?size=64`;
await (await fetch(thumbnail)).bytes();

const jobs: Job[] = [];
for (const { id } of [face, horse, cat]) jobs.push(await submit(FACES, id));
for (const { id } of [face, cat, cup, replaced]) jobs.push(await submit(EMBEDDING, id));
const failed = await submit(EMBEDDING, broken.id);
const cancelled = await submit(FACES, cup.id, 0);
await call(`${inference}/job/${cancelled.job_id}`, { method: "DELETE" });
for (const { job_id } of [...jobs, failed]) await ended(job_id);

// With the bytes of an entity that was deleted for good.
await call(`${mediaStore}/entity/${gone.id}`, { method: "DELETE" });
await call(`${mediaStore}/entity/${replaced.id}`, {
  method: "PUT",
  body: await formOf({ ...file, label: "second" }, "rocket.jpg"),
});
await change(cup.id, { is_deleted: true });

const items = (await call<{ items: Item[] }>(
  `${mediaStore}/entity/?page_size=100&include_deleted=true`,
)).items;
const entities = await Promise.all(items.map(async (item) => {
  const url = `${mediaStore}/entity/${item.id}`;
  return {
    item,
    versions: await Promise.all(
      Array.from({ length: item.version }, (_, i) => call<Item>(`${url}?version=${i + 1}`)),
    ),
  };
}));
const ids = [...jobs, failed, cancelled].map(({ job_id }) => job_id);
console.log(JSON.stringify(
  {
    entities,
    jobs: await Promise.all(ids.map((id) => call<Job>(`${inference}/job/${id}`))),
  },
  null,
  2,
));
