/**
 * How long lists of a large store take, asked for over HTTP as a client would.
 *
 * @module
 */
import { median } from "@fovea/bench/table";
import { openSqlite } from "@fovea/storage/sqlite";
import type { Item, Page } from "@fovea/contract";
import { startService, temporaryFolder } from "@fovea/testing";
import { sql, type Transaction } from "kysely";
import { NO_FILE } from "../entities/file_metadata.ts";
import { migrations, type Tables } from "../entities/migrations.ts";
import { ITEM_COLUMNS, toRow } from "../entities/row.ts";
import { timed } from "./client.ts";

/** What is asked for, by the name under which it is reported. */
const QUERIES = {
  "page 1": "page=1",
  "page 5,000": "page=5000",
  "search, 1 of 100 entities": "search_query=year+1927",
  "search, 1 of 4 entities": "search_query=harbour",
  "search, two letters": "search_query=ki",
  "filter, nearly all entities": "filter_param=type:image",
  "filter, 1 of 1,000 entities": "filter_param=parent_id:12",
  "filter, none": "filter_param=type:video",
  "first versions, page 5,000": "version=1&page=5000",
};

export interface Listing {
  name: string;
  /** Median from request to the last byte of the answer. */
  ms: number;
  /** Entities on all pages. */
  found: number;
}

/** One in a hundred is a collection, and one in ten thousand is deleted softly. */
export const ENTITIES = 100_000;

/** Fills a store and asks it for pages of 20. @param rounds how often for each */
export async function measureListing(rounds = 25): Promise<Listing[]> {
  await using folder = await temporaryFolder();
  await fill(`${folder.path}/media_store`);
  await using service = await startService("media_store", { DATA_DIR: folder.path });
  const lists = Object.entries(QUERIES).map(([name, query]) => ({
    name,
    query,
    ms: [] as number[],
    found: 0,
  }));
  for (let round = 0; round < rounds; round++) {
    for (const list of lists) {
      list.ms.push(
        await timed(async () => {
          const answer = await fetch(`${service.url}/entity/?${list.query}`);
          const { pagination }: Page<Item> = await answer.json();
          list.found = pagination.total_items;
        }),
      );
    }
  }
  return lists.map(({ name, ms, found }) => ({ name, ms: median(ms), found }));
}

/** Entities written at once. */
const CHUNK = 1000;

async function fill(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  await using db = await openSqlite<Tables>(`${folder}/entities.sqlite`, migrations);
  await db.transaction().execute(async (transaction) => {
    for (let first = 1; first <= ENTITIES; first += CHUNK) await addChunk(transaction, first);
    const members = sql.join([...ITEM_COLUMNS, "search_text"].map((name) => sql.ref(name)));
    await sql`
      insert into entity_versions (${members}, transaction_id)
      select ${members}, 1 from entities`.execute(transaction);
  });
}

async function addChunk(transaction: Transaction<Tables>, first: number): Promise<void> {
  const rows = Array.from({ length: CHUNK }, (_, i) => ({
    id: first + i,
    ...toRow(craftItem(first + i)),
  }));
  await transaction.insertInto("entities").values(rows).execute();
}

const WORDS = [
  "astronaut",
  "harbour",
  "mountain",
  "church",
  "kitten",
  "sunset",
  "bicycle",
  "train",
];

function craftItem(id: number): Omit<Item, "id"> {
  const word = (turn: number) => WORDS[Math.floor(id / turn) % WORDS.length]!;
  const isCollection = id <= 100 || id % 100 === 0;
  const digest = id.toString(16).padStart(32, "0");
  const file = {
    file_size: 1000 + id,
    height: 600,
    width: 800,
    mime_type: id % 2 ? "image/png" : "image/jpeg",
    type: "image" as const,
    extension: id % 2 ? "png" : "jpg",
    md5: digest,
    sha256: digest + digest,
    file_path: `files/${digest}`,
  };
  return {
    is_collection: isCollection,
    label: `IMG_${id} ${word(1)}`,
    description: `a ${word(8)} seen from the road, in the year ${1900 + id % 100}`,
    parent_id: isCollection || id % 10 > 0 ? null : 1 + (id / 10) % 100,
    added_date: id,
    updated_date: id,
    is_deleted: id % 10_000 === 0,
    version: 1,
    ...NO_FILE,
    ...!isCollection && file,
  };
}
