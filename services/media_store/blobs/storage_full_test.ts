import { Problem } from "@fovea/contract";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { reportFull } from "./storage_full.ts";

const isFull = (error: unknown) => error instanceof Problem && error.code === "storage_full";

Deno.test("a full disk is reported as such", async () => {
  // As Deno throws it, whom only full permissions would let write to /dev/full.
  const error = Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
  await assert.rejects(reportFull(() => Promise.reject(error)), isFull);
});

Deno.test("a full database is reported as such", async () => {
  using db = new DatabaseSync(":memory:");
  db.exec("PRAGMA max_page_count = 2; CREATE TABLE t (x)");
  const insert = db.prepare("INSERT INTO t VALUES (zeroblob(100000))");
  await assert.rejects(reportFull(() => Promise.resolve(insert.run())), isFull);
});

Deno.test("any other error passes as it is", async () => {
  const error = new Error("something else");
  await assert.rejects(reportFull(() => Promise.reject(error)), error);
});
