/**
 * Bodies whose chunks break the rules of HTTP (RFC 9112, 7.1), at both services.
 *
 * @module
 */
import { type ServiceProcess, startService } from "@fovea/testing";
import { BARE } from "@fovea/testing/suite";
import assert from "node:assert/strict";

/** The whole answer to a request with a body of one good chunk and then this. */
async function answerTo(service: ServiceProcess, call: string, type: string, chunks: string) {
  const { hostname, port } = new URL(service.url);
  using conn = await Deno.connect({ hostname, port: Number(port) });
  const head = `${call} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nTransfer-Encoding: chunked\r\n` +
    `Content-Type: ${type}\r\n\r\n`;
  await conn.write(new TextEncoder().encode(head + chunks));
  const late = setTimeout(() => conn.close(), 10_000);
  const answer = await new Response(conn.readable).text();
  clearTimeout(late);
  return answer;
}

const BROKEN = ["zz\r\n{}\r\n", "3\r\n{}\r\nxyz\r\n", "-1\r\n\r\n", "fffffffffffffffff\r\n"];

async function refusesAll(service: ServiceProcess, calls: [call: string, type: string][]) {
  for (const [call, type] of calls) {
    for (const chunks of [...BROKEN, ...BROKEN.map((chunks) => `2\r\n{}\r\n${chunks}`)]) {
      const answer = await answerTo(service, call, type, chunks);
      // Deno 2.9 may refuse such a request by itself, with nothing but the end of the connection.
      if (answer === "" && !Deno.version.deno.startsWith("2.7")) continue;
      assert.match(answer, /^HTTP\/1\.1 400 /, `${call} ${type} ${JSON.stringify(chunks)}`);
      assert.match(answer, /"code":"broken_body"/);
    }
  }
  assert.equal(await (await fetch(`${service.url}/health`)).text(), '{"status":"ok"}');
  assert.deepEqual(service.log().filter(({ level }) => level === "error"), []);
}

Deno.test("media_store answers a body with broken chunks with 400", async () => {
  await using service = await startService("media_store");
  await refusesAll(service, [
    ["POST /entity/known", "application/json"],
    ["POST /entity/", "application/x-www-form-urlencoded"],
    ["POST /entity/", "multipart/form-data; boundary=b"],
  ]);
});

Deno.test("inference answers a body with broken chunks with 400", async () => {
  await using service = await startService("empty_inference", BARE);
  await refusesAll(service, [["POST /job/face_detection", "application/json"]]);
});
