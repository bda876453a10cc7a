import { type ColumnsHeader, type Item, MEDIA_TYPES, type Page } from "@fovea/contract";
import { asJson, type ServiceProcess, startService } from "@fovea/testing";
import assert from "node:assert/strict";
import { craftJpeg, craftPng } from "../testing/crafted_picture.ts";
import { form, problemOf } from "../testing/test_app.ts";
import { COLUMN_NAMES, ColumnsBuilder } from "./layout.ts";

const ARRAYS = { uint8: Uint8Array, uint32: Uint32Array, float64: Float64Array };

/** As a page reads an answer. */
function read(bytes: ArrayBuffer): { header: ColumnsHeader; columns: Record<string, number[]> } {
  const length = new DataView(bytes).getUint32(0, true);
  const header: ColumnsHeader = JSON.parse(
    new TextDecoder().decode(new Uint8Array(bytes, 4, length)),
  );
  const columns = header.columns.map(({ name, type, offset }) => [
    name,
    [...new ARRAYS[type](bytes, 4 + length + offset, header.rows)],
  ]);
  return { header, columns: Object.fromEntries(columns) };
}

async function columnsOf(service: ServiceProcess, query = "") {
  const answer = await fetch(`${service.url}/entity/columns${query}`);
  assert.equal(answer.status, 200, await answer.clone().text());
  assert.equal(answer.headers.get("Content-Type"), "application/octet-stream");
  return { answer, ...read(await answer.arrayBuffer()) };
}

async function add(service: ServiceProcess, fields: Record<string, string | Blob>): Promise<Item> {
  const answer = await fetch(`${service.url}/entity/`, form(fields));
  assert.equal(answer.status, 201);
  return await answer.json();
}

Deno.test("the library comes as columns that say what its Items say", async () => {
  await using service = await startService("media_store");
  assert.deepEqual((await columnsOf(service)).header.rows, 0);
  const collection = await add(service, { is_collection: "true", label: "2019" });
  const parent_id = String(collection.id);
  const taken = new Blob([craftJpeg(30, 20, { taken: "2019:07:01 10:20:30" })]);
  await add(service, { is_collection: "false", parent_id, image: taken });
  const hidden = await add(service, { is_collection: "false", image: new Blob([craftPng(7, 9)]) });
  await fetch(`${service.url}/entity/${hidden.id}`, asJson({ is_deleted: true }, "PATCH"))
    .then((answer) => answer.body?.cancel());
  const list = await fetch(`${service.url}/entity/?include_deleted=true`);
  const { items }: Page<Item> = await list.json();

  const all = `?include_deleted=true&fields=${COLUMN_NAMES.join(",")}`;
  const { answer, header, columns } = await columnsOf(service, all);
  assert.deepEqual(header.position, await (await fetch(`${service.url}/store`)).json());
  const number = (value: number | null) => value ?? NaN;
  const whole = (value: number | null) => value ?? 0;
  assert.deepEqual(columns, {
    id: items.map(({ id }) => id),
    width: items.map(({ width }) => whole(width)),
    height: items.map(({ height }) => whole(height)),
    parent_id: items.map(({ parent_id }) => whole(parent_id)),
    version: items.map(({ version }) => version),
    create_date: items.map(({ create_date }) => number(create_date)),
    added_date: items.map(({ added_date }) => added_date),
    updated_date: items.map(({ updated_date }) => updated_date),
    file_size: items.map(({ file_size }) => number(file_size)),
    duration: items.map(({ duration }) => number(duration)),
    type: items.map(({ type }) => type === null ? 0 : header.media_types.indexOf(type) + 1),
    is_collection: items.map(({ is_collection }) => Number(is_collection)),
    is_deleted: items.map(({ is_deleted }) => Number(is_deleted)),
  });
  assert.deepEqual([items[1]!.width, items[1]!.create_date === null], [30, false]);
  assert.deepEqual(header.media_types, [...MEDIA_TYPES]);

  // What is softly deleted and what a filter leaves out is no row.
  assert.deepEqual((await columnsOf(service)).columns.id, [collection.id, 2]);
  const pictures = await columnsOf(service, "?fields=id&filter_param=type:image");
  assert.deepEqual(pictures.columns, { id: [2] });

  // A page that has it already asks for it by its tag, until something changes.
  const tag = answer.headers.get("ETag")!;
  const again = () =>
    fetch(`${service.url}/entity/columns${all}`, { headers: { "If-None-Match": tag } });
  assert.equal((await again()).status, 304);
  await add(service, { is_collection: "true" });
  const changed = await again();
  assert.equal(changed.status, 200);
  assert.equal(read(await changed.arrayBuffer()).header.rows, 4);

  for (const query of ["?fields=", "?fields=label", "?fields=id,id", "?search_query=a"]) {
    const refused = await fetch(`${service.url}/entity/columns${query}`);
    await problemOf(refused, "invalid_parameter", 422);
  }
});

Deno.test("columns of any number of rows begin where typed arrays may begin", () => {
  const position = { store_id: crypto.randomUUID(), transaction_id: 1, tag: "0".repeat(16) };
  for (let rows = 0; rows < 20; rows++) {
    const builder = new ColumnsBuilder(["is_deleted", "id", "create_date", "type"]);
    for (let id = 1; id <= rows; id++) {
      builder.add({
        is_deleted: id % 2,
        id,
        create_date: id % 3 === 0 ? null : -id,
        type: "video",
      });
    }
    const { header, columns } = read(builder.bytes(position).buffer);
    assert.equal(header.rows, rows);
    const ids = Array.from({ length: rows }, (_, i) => i + 1);
    assert.deepEqual(columns, {
      is_deleted: ids.map((id) => id % 2),
      id: ids,
      create_date: ids.map((id) => id % 3 === 0 ? NaN : -id),
      type: ids.map(() => 2),
    });
  }
});
