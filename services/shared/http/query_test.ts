import { type ServiceName, startService } from "@fovea/testing";
import { BARE } from "@fovea/testing/suite";
import assert from "node:assert/strict";

const LISTS: [ServiceName, string][] = [["media_store", "/entity/"], ["empty_inference", "/job/"]];

for (const [name, path] of LISTS) {
  Deno.test(`${name} reads a list's query as the other service does`, async () => {
    await using service = await startService(name, BARE);
    const ask = async (query: string) => {
      const answer = await fetch(`${service.url}${path}?${query}`);
      return { status: answer.status, body: await answer.json() };
    };
    const refused: [query: string, detail: string][] = [
      ["page=0", "page is 0: 1 is the least"],
      ["page=-1", "page is -1: 1 is the least"],
      ["page_size=101", "page_size is 101: 100 is the most"],
      ["page_size=0x10", 'page_size is "0x10": a whole number is expected'],
      ["page_size=1e3", 'page_size is "1e3": a whole number is expected'],
      ["page_size=1.0", 'page_size is "1.0": a whole number is expected'],
      ["page_size=", 'page_size is "": a whole number is expected'],
      ["page_size=%205", 'page_size is " 5": a whole number is expected'],
      ["page_size=NaN", 'page_size is "NaN": a whole number is expected'],
      ["page=Infinity", 'page is "Infinity": a whole number is expected'],
      ["page=1&page=1", "page: comes 2 times: once is enough"],
    ];
    for (const [query, detail] of refused) {
      const { status, body } = await ask(query);
      assert.deepEqual([status, body.code, body.detail], [422, "invalid_parameter", detail]);
    }
    const unknown = await ask("colour=red");
    assert.equal(unknown.status, 422);
    assert.match(unknown.body.detail, /unknown.*: colour: known are .*page, page_size/);
    const { body } = await ask("page=02&page_size=5");
    assert.deepEqual([body.pagination.page, body.pagination.page_size], [2, 5]);
  });
}
