/**
 * The store's part of the bench: bytes on their way in and out, and lists of a large store.
 *
 * @module
 */
import { atLeast, atMost, type Measured } from "@fovea/bench/figure";
import { fixed, printTable } from "@fovea/bench/table";
import { LARGE_BYTES, measureLargeFile } from "./large_file.ts";
import { ENTITIES, measureListing } from "./listing.ts";
import { CLIENTS, measureManyUploads } from "./many_uploads.ts";

const MB = 1_000_000;

/** Lists that must come fast. Others find more, and are only told of. */
const FAST = ["page 1", "page 5,000", "search, 1 of 100 entities", "filter, 1 of 1,000 entities"];
const FAST_MS = 20;

/** Runs it in rounds of its own, however many seconds others take. */
export async function store(): Promise<Measured> {
  const large = await measureLargeFile();
  const { ms, growth } = large;
  const rate = (ms: number) => fixed(LARGE_BYTES / MB / ms * 1000, 0);
  console.log("\nA file of 200 MB\n");
  printTable(["", "MB/s", "memory added, MB"], [
    ["upload", rate(ms.upload), fixed(growth.upload / MB, 0)],
    ["upload to busboy, two digests and a synced file alone", rate(ms.bareUpload), fixed(NaN)],
    ["download", rate(ms.download), fixed(growth.download / MB, 0)],
  ]);

  const many = await measureManyUploads();
  console.log("\nFiles of 100 KB\n");
  printTable(["", "uploads/s"], [
    ["1 client", fixed(many.rate.one, 0)],
    [`${CLIENTS} clients`, fixed(many.rate.many, 0)],
  ]);

  const lists = await measureListing();
  console.log(`\nLists of ${ENTITIES} entities, pages of 20\n`);
  printTable(
    ["", "median ms", "found"],
    lists.map(({ name, ms, found }) => [name, fixed(ms), `${found}`]),
  );

  return {
    figures: [
      atMost(
        "store: ms to upload 200 MB : to busboy, two digests and a synced file alone",
        ms.upload / ms.bareUpload,
        1.3,
      ),
      atMost("store: MB of memory added by an upload of 200 MB", growth.upload / MB, 80),
      atMost("store: MB of memory added by a download of 200 MB", growth.download / MB, 20),
      atMost(
        `store: of ${many.uploads} uploads by ${CLIENTS} clients lost or doubled`,
        many.lostOrDoubled,
        0,
      ),
      atLeast(`store: uploads/s, ${CLIENTS} clients : one`, many.rate.many / many.rate.one, 1),
      ...lists.filter(({ name }) => FAST.includes(name))
        .map(({ name, ms }) => atMost(`store: ms for a list of ${ENTITIES}, ${name}`, ms, FAST_MS)),
    ],
    details: { large, many, lists },
  };
}
