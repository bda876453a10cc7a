import assert from "node:assert/strict";
import { bestOfGroup, type Candidate } from "./best_of_group.ts";

const picture = (id: number, of: Partial<Candidate> = {}): Candidate => ({
  id,
  width: 400,
  height: 300,
  mimeType: "image/jpeg",
  fileSize: 1000,
  createDate: 5,
  ...of,
});

Deno.test("most pixels count first, then what a camera wrote, bytes, the date and the id", () => {
  const order: Candidate[] = [
    picture(9, { width: 500 }),
    picture(8, { mimeType: "image/x-canon-cr2", fileSize: 1 }),
    picture(6, { fileSize: 1001 }),
    picture(5, { createDate: 4 }),
    picture(3),
    picture(4),
    picture(1, { createDate: null }),
    picture(2, { height: 299, mimeType: "image/heic" }),
  ];
  for (let left = order.length; left > 0; left--) {
    const group = order.slice(-left).reverse() as [Candidate, ...Candidate[]];
    assert.equal(bestOfGroup(group), order.at(-left));
  }
});
