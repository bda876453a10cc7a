import { asJson, type ServiceName, startService } from "@fovea/testing";
import { BARE } from "@fovea/testing/suite";
import assert from "node:assert/strict";

const CALLS: [ServiceName, string][] = [
  ["media_store", "/entity/"],
  ["empty_inference", "/job/face_detection"],
];

for (const [name, path] of CALLS) {
  Deno.test(`${name} refuses a compressed body by the name of the header`, async () => {
    await using service = await startService(name, BARE);
    const send = (coding: string) =>
      fetch(
        service.url + path,
        asJson({ media_store_id: 1 }, "POST", { "Content-Encoding": coding }),
      );
    for (const coding of ["gzip", "br, gzip"]) {
      const answer = await send(coding);
      assert.deepEqual([answer.status, answer.headers.get("Accept-Encoding")], [415, "identity"]);
      const { code, detail } = await answer.json();
      assert.equal(code, "unsupported_content_encoding");
      assert.ok(detail.startsWith(`Content-Encoding is "${coding}"`), detail);
    }
    const plain = await send("identity");
    assert.notEqual((await plain.json()).code, "unsupported_content_encoding");
  });
}
