import { openSqlite } from "@fovea/storage/sqlite";
import type { Item, Page } from "@fovea/contract";
import { sql } from "kysely";
import assert from "node:assert/strict";
import { craftPng } from "../testing/crafted_picture.ts";
import { problemOf, type TestApp, testApp } from "../testing/test_app.ts";
import { countQuery, pageQuery, type Selection } from "./listing.ts";
import { migrations, type Tables } from "./migrations.ts";

async function listed(app: TestApp, query: Record<string, string>): Promise<Page<Item>> {
  const answer = await app.request(`/entity/?${new URLSearchParams(query)}`);
  const page = await answer.json();
  assert.equal(answer.status, 200, page.detail);
  return page;
}

const idsOf = async (app: TestApp, query: Record<string, string>) =>
  (await listed(app, query)).items.map((item) => item.id);

const search = (app: TestApp, search_query: string) => idsOf(app, { search_query });

async function addLabelled(app: TestApp, ...labels: [string, string?][]): Promise<void> {
  for (const [label, description = ""] of labels) {
    await app.add({ is_collection: "true", label, description });
  }
}

Deno.test("a search finds words and parts of them in label and description", async () => {
  await using app = await testApp();
  await addLabelled(
    app,
    ["IMG_1234.JPG", "Grandmother at the Café"],
    ["Straße in Αθήνα", "an astronaut"],
    ["東京タワー", "my cat"],
    ["\u200f ab\u00adsurd", "ffi: \ufb03"],
  );
  const cases: [string, number[]][] = [
    ["1234", [1]],
    ["img_12", [1]],
    ["mother", [1]],
    ["cafe", [1]],
    ["CAFÉ grand", [1]],
    ["strasse", [2]],
    ["αθηνα", [2]],
    ["tron", [2]],
    ["京タ", [3]],
    ["東", [3]],
    ["at", [1, 3]],
    ["my cat", [3]],
    ["cat my", [3]],
    ["a", [1, 2, 3, 4]],
    ["absurd", [4]],
    ["ffi", [4]],
    ["1234 astronaut", []],
    ["zebra", []],
    ["", [1, 2, 3, 4]],
    ["   ", [1, 2, 3, 4]],
  ];
  for (const [text, ids] of cases) assert.deepEqual(await search(app, text), ids, text);
});

Deno.test("no character has a meaning of its own in a search", async () => {
  await using app = await testApp();
  await addLabelled(app, [`100% "a_b" OR (c*) label:x NOT 'd' - ^e {f} \\ g`], ["other"]);
  const whole = `100% "a_b" OR (c*) label:x NOT 'd' - ^e {f} \\ g`;
  for (const text of [whole, ...whole.split(" "), `"`, "%", "_", "*", "'", "a_b", `"a_b"`]) {
    assert.ok((await search(app, text)).includes(1), text);
  }
  for (
    const text of ["a%b", "1*0", "100% AND c", "oth*", "label:other", "NEAR(a b)", "\0\0\0\0zz"]
  ) {
    assert.deepEqual(await search(app, text), [], text);
  }
  const long = await app.request(`/entity/?search_query=${"x".repeat(201)}`);
  await problemOf(long, "invalid_parameter", 422);
});

Deno.test("a search knows what was changed, and forgets what was deleted", async () => {
  await using app = await testApp();
  await addLabelled(app, ["harbour"], ["harbour"]);
  await app.service.patch(1, { label: "mountain" });
  assert.deepEqual([await search(app, "harbour"), await search(app, "mountain")], [[2], [1]]);
  await app.service.patch(2, { is_deleted: true });
  assert.deepEqual(await search(app, "harbour"), []);
  assert.deepEqual(await idsOf(app, { search_query: "harbour", include_deleted: "true" }), [2]);
  await app.service.delete(1);
  assert.deepEqual(await search(app, "mountain"), []);
  await app.service.deleteAll();
  assert.deepEqual(await idsOf(app, { search_query: "harbour", include_deleted: "1" }), []);
});

Deno.test("found entities come in the order of their ids, page by page", async () => {
  await using app = await testApp();
  await addLabelled(app, ["cat"], ["cat"], ["dog"], ["cat"], ["cat"]);
  await app.service.patch(1, { label: "cat again" });
  const { items, pagination } = await listed(app, {
    search_query: "cat",
    page: "2",
    page_size: "2",
  });
  assert.deepEqual(items.map((item) => item.id), [4, 5]);
  assert.deepEqual([pagination.total_items, pagination.has_next], [4, false]);
  assert.deepEqual(
    (await listed(app, { search_query: "cat", page: "9", page_size: "2" })).pagination.total_items,
    4,
  );
});

async function addMixture(app: TestApp): Promise<void> {
  const collection = await app.add({ is_collection: "true", label: "c" });
  const parent_id = String(collection.id);
  await app.add({ is_collection: "false", image: new Blob([craftPng(3, 2, 1)]), parent_id });
  await app.add({ is_collection: "false", image: new Blob([craftPng(3, 2, 2)]) });
  await app.add({ is_collection: "false", image: new Blob(["%PDF-1.7\n1 0 obj"]), parent_id });
}

Deno.test("lists are filtered by type, media type, parent and kind", async () => {
  await using app = await testApp();
  await addMixture(app);
  const cases: [string, number[]][] = [
    ["type:image", [2, 3]],
    ["type:document", [4]],
    ["type:video", []],
    ["mime_type:image/png", [2, 3]],
    ["mime_type:IMAGE/PNG", [2, 3]],
    ["parent_id:1", [2, 4]],
    ["parent_id:null", [1, 3]],
    ["parent_id:99", []],
    ["is_collection:true", [1]],
    ["is_collection:0", [2, 3, 4]],
    ["type:image,parent_id:1", [2]],
    [" type : image , is_collection:false, ", [2, 3]],
    ["", [1, 2, 3, 4]],
  ];
  for (const [filter_param, ids] of cases) {
    assert.deepEqual(await idsOf(app, { filter_param }), ids, filter_param);
  }
});

Deno.test("a filter that can't be meant is refused, with what is allowed", async () => {
  await using app = await testApp();
  const cases: [string, RegExp][] = [
    [
      "colour:red",
      /unknown filter: colour: known are type, mime_type, parent_id, is_collection, sha256$/,
    ],
    [
      "type:picture",
      /^filter_param\.type is "picture": one of image, video, audio, document is expected$/,
    ],
    [
      "mime_type:png",
      /^filter_param\.mime_type is "png": a media type is expected, such as image\/png$/,
    ],
    ["parent_id:1e3", /^filter_param\.parent_id is "1e3": a collection's id or null is expected$/],
    ["parent_id:9007199254740993", /^filter_param\.parent_id is \d+: number is too large/],
    ["is_collection:maybe", /^filter_param\.is_collection is "maybe": true or false is expected$/],
    ["image", /"image" is no filter: name:value is expected, as in type:image$/],
    ["type:image,type:video", /filter type comes twice$/],
  ];
  for (const [filter, detail] of cases) {
    const answer = await app.request(`/entity/?filter_param=${encodeURIComponent(filter)}`);
    assert.match((await problemOf(answer, "invalid_parameter", 422)).detail, detail);
  }
});

Deno.test("a list of a version has every entity that reached it, as it was then", async () => {
  await using app = await testApp();
  await addMixture(app);
  await app.service.patch(2, { label: "once there", parent_id: null });
  await app.service.patch(2, { label: "now here", is_deleted: true });
  const labels = async (query: Record<string, string>) =>
    (await listed(app, query)).items.map((item) => [item.id, item.version, item.label]);
  assert.deepEqual(await labels({ version: "2" }), [[2, 2, "once there"]]);
  assert.deepEqual(await labels({ version: "2", search_query: "once" }), [[2, 2, "once there"]]);
  assert.deepEqual(await labels({ version: "2", search_query: "now" }), []);
  assert.deepEqual(await labels({ version: "3" }), []);
  assert.deepEqual(await labels({ version: "3", include_deleted: "true" }), [[2, 3, "now here"]]);
  assert.deepEqual(await idsOf(app, { version: "1", filter_param: "parent_id:1" }), [2, 4]);
  assert.deepEqual(await idsOf(app, { version: "1", page: "2", page_size: "3" }), [4]);
  assert.deepEqual(await labels({ version: "9" }), []);
});

Deno.test("what is listed is found and counted in an index", async () => {
  await using db = await openSqlite<Tables>(":memory:", migrations);
  const everything: Selection[] = [
    {},
    { include_deleted: true },
    { filter: { type: "image" } },
    { filter: { type: "image", mime_type: "image/png", is_collection: false } },
    { filter: { parent_id: 12 } },
    { filter: { parent_id: null, type: "image" } },
    { version: 2 },
    { version: 2, filter: { parent_id: 12 } },
  ];
  const planOf = async (query: { explain: ReturnType<typeof pageQuery>["explain"] }) =>
    (await query.explain<{ detail: string }>(undefined, sql`query plan`)).map((row) => row.detail);
  for (const selection of everything) {
    const page = await planOf(pageQuery(db, selection, 99_980, 20));
    const count = await planOf(countQuery(db, selection));
    const steps = [...page, ...count].filter((step) => /^SCAN|^SEARCH/.test(step));
    assert.equal(steps.filter((step) => /USING COVERING INDEX/.test(step)).length, 2);
    for (const step of steps) {
      assert.match(
        step,
        /USING (COVERING INDEX|INTEGER PRIMARY KEY|INDEX \w+ \((version=\? AND )?id=\?)/,
        step,
      );
    }
    assert.ok(page.every((step) => !step.includes("TEMP B-TREE")), page.join("\n"));
  }
  const search = await planOf(pageQuery(db, { search: "harbour" }, 0, 20));
  assert.ok(search.some((step) => /entity_search VIRTUAL TABLE INDEX/.test(step)));
  assert.ok(search.every((step) => !step.includes("TEMP B-TREE")), search.join("\n"));
});
