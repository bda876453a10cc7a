import { Problem } from "@fovea/contract";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { reportStorage } from "./storage_failure.ts";

const isFull = (error: unknown) => error instanceof Problem && error.code === "storage_full";

Deno.test("a full disk is reported as such", async () => {
  // As Deno throws it, whom only full permissions would let write to /dev/full.
  const error = Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
  await assert.rejects(reportStorage(() => Promise.reject(error)), isFull);
});

Deno.test("a full database is reported as such", async () => {
  using db = new DatabaseSync(":memory:");
  db.exec("PRAGMA max_page_count = 2; CREATE TABLE t (x)");
  const insert = db.prepare("INSERT INTO t VALUES (zeroblob(100000))");
  await assert.rejects(reportStorage(() => Promise.resolve(insert.run())), isFull);
});

Deno.test("a folder that has gone is reported as such", async () => {
  await assert.rejects(
    reportStorage(() => Deno.open("/nowhere/file", { write: true, createNew: true })),
    (error) => error instanceof Problem && error.code === "storage_missing",
  );
});

Deno.test("any other error passes as it is", async () => {
  const error = new Error("something else");
  await assert.rejects(reportStorage(() => Promise.reject(error)), error);
});
