import type {
  ChangePage,
  ChangePosition,
  EntityChange,
  Item,
  Page,
  StorePosition,
} from "@fovea/contract";
import {
  asJson,
  runTask,
  type ServiceProcess,
  startService,
  temporaryFolder,
} from "@fovea/testing";
import { follow, type Followed } from "@fovea/testing/event_stream";
import assert from "node:assert/strict";
import { craftPng } from "./testing/crafted_picture.ts";
import { form, problemOf } from "./testing/test_app.ts";

const png = (seed: number) => new Blob([craftPng(3, 2, seed)]);

async function add(service: ServiceProcess, fields: Record<string, string | Blob>): Promise<Item> {
  const answer = await fetch(`${service.url}/entity/`, form(fields));
  assert.ok(answer.ok, `${answer.status}`);
  return await answer.json();
}

async function call(service: ServiceProcess, path: string, init?: RequestInit): Promise<unknown> {
  const answer = await fetch(`${service.url}${path}`, init);
  const text = await answer.text();
  assert.ok(answer.ok, `${path} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}

const queryOf = (position: ChangePosition | undefined) =>
  new URLSearchParams(
    Object.entries(position ?? {}).map(([name, value]) => [name, String(value)]),
  );

/** One who knows of a store what the feed has told. */
class Follower {
  position: ChangePosition | undefined;
  readonly entities = new Map<number, EntityChange>();

  /** Reads all that there is. @returns what came */
  async read(service: ServiceProcess, limit: number): Promise<EntityChange[]> {
    const came: EntityChange[] = [];
    for (let pages = 0; pages < 1000; pages++) {
      const query = queryOf(this.position);
      query.set("limit", String(limit));
      const page = await call(service, `/changes?${query}`) as ChangePage;
      assert.ok(page.changes.length <= limit);
      for (const change of page.changes) {
        if (change.change === "deleted") this.entities.delete(change.id);
        else this.entities.set(change.id, change);
      }
      came.push(...page.changes);
      this.position = page.next;
      if (!page.has_more) return came;
    }
    throw new Error("1,000 pages had no end");
  }
}

async function everything(service: ServiceProcess): Promise<Item[]> {
  const items: Item[] = [];
  for (let page = 1;; page++) {
    const { items: some, pagination } = await call(
      service,
      `/entity/?page=${page}&page_size=100&include_deleted=true`,
    ) as Page<Item>;
    items.push(...some);
    if (!pagination.has_next) return items;
  }
}

/** What a stream told of entities. */
const entriesOf = ({ events }: Followed) => events.filter(({ name }) => name === "message");

/** What an entry and an Item say in common. */
const known = (of: Item | EntityChange) => {
  const { id, version, is_collection, type, mime_type, sha256, width, height, file_size } =
    of as Item;
  const { parent_id, added_date, create_date, is_deleted } = of as Item;
  return {
    id,
    version,
    is_collection,
    type,
    mime_type,
    sha256,
    width,
    height,
    file_size,
    parent_id,
    added_date,
    create_date,
    is_deleted,
  };
};

async function assertFollowed(follower: Follower, service: ServiceProcess): Promise<void> {
  const items = await everything(service);
  const followed = [...follower.entities.values()].sort((a, b) => a.id - b.id);
  assert.deepEqual(followed.map(known), items.map(known));
}

Deno.test("who follows the feed has what the store has, whatever happened, also over kills", async () => {
  await using folder = await temporaryFolder();
  const follower = new Follower();
  const dice = seeded(7);
  let seed = 1;
  for (let round = 0; round < 4; round++) {
    await using service = await startService("media_store", { DATA_DIR: folder.path });
    for (let step = 0; step < 40; step++) {
      const items = await everything(service);
      const item = items[Math.floor(dice() * items.length)];
      const collections = items.filter((item) => item.is_collection && !item.is_deleted);
      const parent_id = collections[Math.floor(dice() * collections.length)]?.id ?? null;
      const kind = dice();
      if (item === undefined || kind < 0.3) {
        await add(service, { is_collection: "false", image: png(seed++) });
      } else if (kind < 0.4) await add(service, { is_collection: "true", label: `${seed++}` });
      else if (kind < 0.6) {
        await fetch(`${service.url}/entity/${item.id}`, asJson({ parent_id }, "PATCH"))
          .then((answer) => answer.body?.cancel());
      } else if (kind < 0.7) {
        const patch = { is_deleted: !item.is_deleted };
        await call(service, `/entity/${item.id}`, asJson(patch, "PATCH"));
      } else if (kind < 0.85 && !item.is_collection) {
        const fields = { is_collection: "false", image: png(seed++) };
        await call(service, `/entity/${item.id}`, form(fields, "PUT"));
      } else await call(service, `/entity/${item.id}`, { method: "DELETE" });
      // Some changes are seen one by one, others many together.
      if (dice() < 0.3) await follower.read(service, 1 + Math.floor(dice() * 5));
    }
    if (round === 2) await call(service, "/entity/", { method: "DELETE" });
    if (round % 2 === 0) await service.kill("SIGKILL");
    else {
      await follower.read(service, 5);
      await assertFollowed(follower, service);
    }
  }
  await using service = await startService("media_store", { DATA_DIR: folder.path });
  await follower.read(service, 3);
  await assertFollowed(follower, service);
  assert.deepEqual(await follower.read(service, 3), []);
  const newcomer = new Follower();
  await newcomer.read(service, 1000);
  await assertFollowed(newcomer, service);
});

/** The same numbers from 0 to 1 each time (mulberry32). */
function seeded(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

Deno.test("each entity comes once, as its last change left it, one transaction over several pages", async () => {
  await using service = await startService("media_store");
  const folder = await add(service, { is_collection: "true", label: "2019" });
  const parent_id = String(folder.id);
  const [a, b] = [
    await add(service, { is_collection: "false", parent_id, image: png(1) }),
    await add(service, { is_collection: "false", parent_id, image: png(2) }),
  ];
  const follower = new Follower();
  const kinds = (changes: EntityChange[]) => changes.map(({ id, change }) => [id, change]);
  assert.deepEqual(
    kinds(await follower.read(service, 1)),
    [[folder.id, "created"], [a.id, "created"], [b.id, "created"]],
  );
  await call(service, `/entity/${a.id}`, asJson({ label: "pier" }, "PATCH"));
  await call(service, `/entity/${a.id}`, asJson({ is_deleted: true }, "PATCH"));
  await call(service, `/entity/${folder.id}`, { method: "DELETE" });
  const came = await follower.read(service, 1);
  assert.deepEqual(
    kinds(came),
    [[folder.id, "deleted"], [a.id, "updated"], [b.id, "updated"]],
  );
  assert.equal(new Set(came.map(({ tag }) => tag)).size, 1, "one transaction has one tag");
  // Nothing of what was deleted is left but its id.
  assert.deepEqual(
    Object.keys(came[0]!).sort(),
    ["change", "id", "tag", "transaction_id"],
  );
  await assertFollowed(follower, service);

  // `GET /store` is a place, too.
  const { transaction_id: after, tag } = await call(service, "/store") as {
    transaction_id: number;
    tag: string;
  };
  const late = new Follower();
  late.position = { after, tag };
  assert.deepEqual(await late.read(service, 10), []);
});

Deno.test("the stream tells changes as they happen, and goes on behind the last one that was seen", async () => {
  await using service = await startService("media_store");
  const url = `${service.url}/changes/stream`;
  const { store_id } = await call(service, "/store") as StorePosition;
  await add(service, { is_collection: "false", image: png(1) });
  let last: string;
  {
    await using stream = await follow(url);
    await stream.until(() => stream.events.length > 0, "the store's name, before anything happens");
    const item = await add(service, { is_collection: "false", image: png(2) });
    await stream.until(() => entriesOf(stream).length > 0, "the new entity");
    assert.deepEqual(stream.events[0], { id: undefined, name: "store", data: { store_id } });
    const [event] = entriesOf(stream);
    assert.deepEqual(stream.events.length, 2, "what was there before does not come");
    assert.deepEqual(known(event!.data as EntityChange), known(item));
    last = event!.id!;
  }
  const missed = await add(service, { is_collection: "false", image: png(3) });
  await call(service, `/entity/${missed.id - 1}`, { method: "DELETE" });
  await using resumed = await follow(url, { "Last-Event-ID": last });
  await resumed.until(() => entriesOf(resumed).length === 2, "what came meanwhile");
  assert.deepEqual(resumed.events[0]?.data, { store_id });
  assert.deepEqual(
    entriesOf(resumed).map((
      { data },
    ) => [(data as EntityChange).id, (data as EntityChange).change]),
    [[missed.id, "created"], [missed.id - 1, "deleted"]],
  );
  // All who wait are told, and the end of the service sends them away.
  const many = await Promise.all(Array.from({ length: 20 }, () => follow(url)));
  await add(service, { is_collection: "false", image: png(4) });
  for (const one of many) await one.until(() => entriesOf(one).length === 1, "the new entity");
  assert.equal((await service.kill("SIGTERM")).code, 0);
  for (const one of many) await one[Symbol.asyncDispose]();
});

Deno.test("after a restore the feed says that it has diverged, and can be read from its beginning", async () => {
  await using folder = await temporaryFolder();
  const [data, backup] = [`${folder.path}/data`, `${folder.path}/backup`];
  const follower = new Follower();
  {
    await using service = await startService("media_store", { DATA_DIR: data });
    const item = await add(service, { is_collection: "false", image: png(1) });
    await add(service, { is_collection: "false", image: png(2) });
    await call(service, `/entity/${item.id}`, { method: "DELETE" });
    assert.equal((await runTask("backup", [backup], { DATA_DIR: data })).code, 0);
    await add(service, { is_collection: "false", image: png(3) });
    await follower.read(service, 10);
  }
  // Files that don't match are put aside; the feed is no matter of that.
  const repair = await runTask("media-store", ["--check", "--repair"], { DATA_DIR: backup });
  assert.equal(repair.code, 0, repair.stderr);

  await using restored = await startService("media_store", { DATA_DIR: backup });
  await add(restored, { is_collection: "false", image: png(4) });
  await add(restored, { is_collection: "false", image: png(5) });
  for (const path of ["/changes", "/changes/stream"]) {
    const answer = await fetch(`${restored.url}${path}?${queryOf(follower.position)}`);
    await problemOf(answer, "diverged", 409);
  }
  const anew = new Follower();
  const came = await anew.read(restored, 2);
  assert.deepEqual(came.map(({ id, change }) => [id, change]), [
    [2, "created"],
    [1, "deleted"],
    [3, "created"],
    [4, "created"],
  ]);
  await assertFollowed(anew, restored);
});

Deno.test("places and limits that can't be are refused by name", async () => {
  await using service = await startService("media_store");
  const tag = "0".repeat(16);
  for (
    const query of [
      "limit=0",
      "limit=5001",
      "after=1",
      `tag=${tag}`,
      "after_id=3",
      `after=-1&tag=${tag}`,
      "after=1&tag=other",
      "since=1",
    ]
  ) {
    const answer = await fetch(`${service.url}/changes?${query}`);
    await problemOf(answer, "invalid_parameter", 422);
  }
  const unknown = await fetch(`${service.url}/changes?after=0&tag=${tag}`);
  await problemOf(unknown, "diverged", 409);
  const stream = await fetch(`${service.url}/changes/stream`, {
    headers: { "Last-Event-ID": "12" },
  });
  await problemOf(stream, "invalid_parameter", 422);
});

Deno.test("one may ask which files are there before sending any", async () => {
  await using service = await startService("media_store");
  const [a, b] = [
    await add(service, { is_collection: "false", image: png(1) }),
    await add(service, { is_collection: "false", image: png(2) }),
  ];
  await call(service, `/entity/${b.id}`, asJson({ is_deleted: true }, "PATCH"));
  const other = "ab".repeat(32);
  const sha256 = [b.sha256!.toUpperCase(), other, a.sha256!, a.sha256!];
  assert.deepEqual(await call(service, "/entity/known", asJson({ sha256 })), {
    known: [
      { sha256: b.sha256, id: b.id, is_deleted: true },
      { sha256: a.sha256, id: a.id, is_deleted: false },
    ],
  });
  const found = await call(
    service,
    `/entity/?filter_param=sha256:${a.sha256}`,
  ) as Page<Item>;
  assert.deepEqual(found.items, [a]);
  const most = Array.from({ length: 1000 }, (_, i) => i.toString(16).padStart(64, "0"));
  assert.deepEqual(await call(service, "/entity/known", asJson({ sha256: most })), { known: [] });
  for (const wrong of [{}, { sha256: [] }, { sha256: ["12"] }, { sha256: [...most, other] }]) {
    await problemOf(
      await fetch(`${service.url}/entity/known`, asJson(wrong)),
      "malformed_body",
      422,
    );
  }
});
