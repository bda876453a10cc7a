import type { Item } from "@fovea/contract";
import { asJson, type ServiceProcess, startService, temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { checkStore } from "./maintenance/check.ts";
import { craftPng } from "./testing/crafted_picture.ts";
import { filesIn, form } from "./testing/test_app.ts";

const KILLS = 50;
const CLIENTS = 4;
/** How long a storm may rage; where in it the kill comes is left to chance. */
const STORM_MS = 800;
/** Each client keeps about so many entities, so that changes and deletes meet something. */
const ENTITIES = 6;

/** What was asked for and perhaps done, when the service died. */
type Unanswered =
  | { kind: "add"; label: string }
  | { kind: "change" | "delete"; id: number };

/** One who writes, and remembers every version of each of its entities that it was told of. */
class Client {
  readonly known = new Map<number, Item[]>();
  /** How many writes were answered. */
  answered = 0;
  readonly #name: string;
  #unanswered: Unanswered | undefined;
  #next = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Writes until the service is gone. */
  async write(url: string): Promise<void> {
    try {
      for (;;) {
        await this.#writeOnce(url);
        this.#unanswered = undefined;
        this.answered++;
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async #writeOnce(url: string): Promise<void> {
    const ids = [...this.known.keys()];
    const id = ids[Math.floor(Math.random() * ids.length)];
    const dice = Math.random();
    if (id === undefined || ids.length < ENTITIES && dice < 0.5) return await this.#add(url);
    if (dice < 0.25 || ids.length > 2 * ENTITIES) return await this.#delete(url, id);
    return await this.#change(url, id, dice < 0.7);
  }

  #picture(): Blob {
    // Each client's pictures are its own; some are an old version's again.
    const seed = Number(this.#name) * 1_000_000 + Math.floor(this.#next / 2) + 1;
    return new Blob([craftPng(3, 2, seed)]);
  }

  async #add(url: string): Promise<void> {
    const label = `${this.#name}-${++this.#next}`;
    this.#unanswered = { kind: "add", label };
    const upload = form({ is_collection: "false", label, image: this.#picture() });
    const answer = await fetch(`${url}/entity/`, upload);
    const item = await answer.json();
    if (answer.status === 201) this.known.set(item.id, [item]);
    else assert.deepEqual([answer.status, item], [200, this.known.get(item.id)!.at(-1)]);
  }

  async #change(url: string, id: number, withFile: boolean): Promise<void> {
    const label = `${this.#name}-${++this.#next}`;
    this.#unanswered = { kind: "change", id };
    const request = withFile
      ? form({ is_collection: "false", label, image: this.#picture() }, "PUT")
      : asJson({ label }, "PATCH");
    const answer = await fetch(`${url}/entity/${id}`, request);
    const item = await answer.json();
    if (answer.status === 200) this.known.get(id)!.push(item);
    else assert.equal(item.code, "duplicate_file");
  }

  async #delete(url: string, id: number): Promise<void> {
    this.#unanswered = { kind: "delete", id };
    const answer = await fetch(`${url}/entity/${id}`, { method: "DELETE" });
    await answer.body?.cancel();
    assert.equal(answer.status, 200);
    this.known.delete(id);
  }

  /**
   * Holds what is there against what was answered; what was not answered may have come about or not,
   * and is known from now on.
   *
   * @param present all entities; those of this client are taken out
   */
  check(present: Map<number, Item>): void {
    const perhaps = this.#unanswered;
    this.#unanswered = undefined;
    for (const [id, versions] of this.known) {
      const item = present.get(id);
      const last = versions.at(-1)!;
      present.delete(id);
      if (item === undefined) {
        assert.deepEqual(perhaps, { kind: "delete", id });
        this.known.delete(id);
      } else if (item.version !== last.version) {
        assert.deepEqual([perhaps, item.version], [{ kind: "change", id }, last.version + 1]);
        versions.push(item);
      } else assert.deepEqual(item, last);
    }
    if (perhaps?.kind !== "add") return;
    for (const item of present.values()) {
      if (item.label !== perhaps.label) continue;
      present.delete(item.id);
      this.known.set(item.id, [item]);
    }
  }

  versions(): Item[] {
    return [...this.known.values()].flat();
  }
}

async function everything(service: ServiceProcess): Promise<Map<number, Item>> {
  const items = new Map<number, Item>();
  for (let page = 1;; page++) {
    const answer = await fetch(`${service.url}/entity/?page_size=100&page=${page}`);
    const list = await answer.json();
    for (const item of list.items) items.set(item.id, item);
    if (!list.pagination.has_next) return items;
  }
}

/** Holds the disk against what was answered, and against the database. */
async function checkFiles(folder: string, versions: Item[]): Promise<void> {
  const paths = new Set(versions.map((item) => item.file_path!));
  assert.deepEqual(filesIn(folder).sort(), [...paths].sort());
  assert.deepEqual((await checkStore(folder)).findings, []);
}

/** Asks for each version of each entity, and for its bytes. */
async function checkHistory(service: ServiceProcess, versions: Item[]): Promise<void> {
  for (const item of versions) {
    const path = `${service.url}/entity/${item.id}`;
    assert.deepEqual(await (await fetch(`${path}?version=${item.version}`)).json(), item);
    const image = await (await fetch(`${path}/image?version=${item.version}`)).bytes();
    assert.equal(createHash("sha256").update(image).digest("hex"), item.sha256);
  }
}

/** Holds a service that has just started against what its clients know. */
async function checkStart(service: ServiceProcess, clients: Client[]): Promise<void> {
  const present = await everything(service);
  for (const client of clients) client.check(present);
  assert.deepEqual([...present.values()], []);
  await checkFiles(
    `${service.dataDir}/media_store`,
    clients.flatMap((client) => client.versions()),
  );
  assert.deepEqual(service.log().filter((line) => line.level === "error"), []);
}

Deno.test("whenever the service is killed, all that it answered is there and nothing is broken", async () => {
  await using data = await temporaryFolder();
  const env = { DATA_DIR: data.path };
  const clients = Array.from({ length: CLIENTS }, (_, i) => new Client(`${i + 1}`));
  for (let kill = 0; kill < KILLS; kill++) {
    await using service = await startService("media_store", env);
    await checkStart(service, clients);
    const writing = Promise.allSettled(clients.map((client) => client.write(service.url)));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * STORM_MS));
    await service.kill("SIGKILL");
    for (const end of await writing) if (end.status === "rejected") throw end.reason;
  }
  await using service = await startService("media_store", env);
  await checkStart(service, clients);
  await checkHistory(service, clients.flatMap((client) => client.versions()));
  const answered = clients.reduce((sum, client) => sum + client.answered, 0);
  assert.ok(answered > KILLS, `only ${answered} writes were answered: that was no storm`);
});
