import { Problem, type ProblemCode } from "@fovea/contract";
import assert from "node:assert/strict";
import { fetchPicture } from "./fetch.ts";

const PICTURE = new Uint8Array(1000).fill(7);
const MAX_BYTES = 100_000;

/** A media_store that answers everything in one way. */
function standIn(answer: (request: Request) => Response | Promise<Response>) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  return { url: `http://127.0.0.1:${server.addr.port}`, server };
}

/** A media_store that writes raw bytes, as no HTTP library would. */
function rawStandIn(answer: Uint8Array | string, keepOpen = false) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const bytes = typeof answer === "string" ? new TextEncoder().encode(answer) : answer;
  const connections = new Set<Deno.Conn>();
  const serving = (async () => {
    for await (const connection of listener) {
      connections.add(connection);
      await connection.read(new Uint8Array(4096));
      await connection.write(bytes);
      if (!keepOpen) {
        connections.delete(connection);
        connection.close();
      }
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const connection of connections) connection.close();
      await serving;
    },
  };
}

async function refused(
  url: string,
  code: ProblemCode,
  detail: RegExp,
  options: { timeoutMs?: number } = {},
): Promise<void> {
  const source = { url, maxBytes: MAX_BYTES, ...options };
  const problem = await fetchPicture(source, 3).then(() => undefined, (error) => error);
  assert.ok(problem instanceof Problem, `expected a problem, got ${problem}`);
  assert.equal(problem.code, code);
  assert.match(problem.message, detail);
}

async function answered(
  answer: (request: Request) => Response | Promise<Response>,
  code: ProblemCode,
  detail: RegExp,
  options: { timeoutMs?: number } = {},
): Promise<void> {
  const { url, server } = standIn(answer);
  try {
    await refused(url, code, detail, options);
  } finally {
    await server.shutdown();
  }
}

const notFound = (code: string) => () =>
  Response.json({ code, detail: "not here" }, { status: 404 });

Deno.test("a picture arrives byte for byte, asked for with the token", async () => {
  let token: string | null = null;
  const { url, server } = standIn((request) => {
    token = request.headers.get("Authorization");
    return new Response(PICTURE);
  });
  const { bytes } = await fetchPicture(
    { url, token: () => Promise.resolve("t"), maxBytes: 1000 },
    3,
  );
  assert.deepEqual(bytes, PICTURE);
  assert.equal(token, "Bearer t");
  await server.shutdown();
});

Deno.test("an entity that is gone, and one without a file, end the job for good", async () => {
  await answered(notFound("entity_not_found"), "entity_not_found", /no entity 3/);
  await answered(notFound("entity_has_no_file"), "entity_has_no_file", /collection/);
  assert.equal(new Problem("entity_not_found", "").transient, false);
});

Deno.test("a media_store that is not there may be there later", async () => {
  const { url, server } = standIn(() => new Response());
  await server.shutdown();
  await refused(url, "media_store_unreachable", /can't be reached at .*: connection refused/);
});

Deno.test("one that does not answer in time is not waited for", async () => {
  const release = Promise.withResolvers<Response>();
  const { url, server } = standIn(() => release.promise);
  await refused(url, "media_store_unreachable", /no answer in time/, { timeoutMs: 100 });
  release.resolve(new Response());
  await server.shutdown();
});

Deno.test("one that falls silent in the middle is not waited for either", async () => {
  await using store = rawStandIn("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort", true);
  await refused(store.url, "media_store_error", /broke off while sending entity 3/, {
    timeoutMs: 100,
  });
});

Deno.test("an answer of 500 is passed on with what it says, however long that is", async () => {
  await answered(
    () => Response.json({ detail: "disk on fire" }, { status: 500 }),
    "media_store_error",
    /answered 500 for the picture of entity 3: disk on fire$/,
  );
  await answered(
    () => new Response(endless(), { status: 500 }),
    "media_store_error",
    /answered 500 for the picture of entity 3$/,
  );
});

Deno.test("a web page in place of a picture is media_store's fault, not the picture's", async () => {
  await answered(
    () => new Response("<html>log in first", { headers: { "Content-Type": "text/html" } }),
    "media_store_error",
    /web page.*MEDIA_STORE_URL/,
  );
});

Deno.test("a body shorter than was announced is broken off", async () => {
  await using store = rawStandIn("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort");
  await refused(store.url, "media_store_error", /broke off while sending entity 3/);
});

Deno.test("a body longer than was announced ends where it was announced to end", async () => {
  await using store = rawStandIn("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlonger than that");
  const { bytes } = await fetchPicture({ url: store.url, maxBytes: MAX_BYTES }, 3);
  assert.equal(new TextDecoder().decode(bytes), "longe");
});

Deno.test("a redirect is not followed, so that none can go round in circles", async () => {
  let asked = 0;
  await answered(
    () => {
      asked++;
      return new Response(null, { status: 302, headers: { Location: "/entity/3/image" } });
    },
    "media_store_error",
    /answered 302.*redirects are not followed/,
  );
  assert.equal(asked, 1);
});

Deno.test("a body without end is read up to the bound", async () => {
  await answered(() => new Response(endless()), "upload_too_large", /more than the 100000 bytes/);
});

Deno.test("what is unpacked on its way counts as long as it becomes", async () => {
  const plain = new Blob([new Uint8Array(MAX_BYTES * 10)]).stream();
  const packed = await new Response(plain.pipeThrough(new CompressionStream("gzip"))).bytes();
  assert.ok(packed.length < MAX_BYTES / 50);
  const head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" +
    `Content-Length: ${packed.length}\r\n\r\n`;
  const answer = new Uint8Array([...new TextEncoder().encode(head), ...packed]);
  await using store = rawStandIn(answer);
  await refused(store.url, "upload_too_large", /more than the 100000 bytes/);
});

Deno.test("a call that is cancelled ends at once", async () => {
  const release = Promise.withResolvers<Response>();
  const { url, server } = standIn(() => release.promise);
  const cancel = new AbortController();
  const fetching = fetchPicture({ url, maxBytes: MAX_BYTES }, 3, cancel.signal);
  cancel.abort(new Error("no longer wanted"));
  await assert.rejects(fetching, Problem);
  release.resolve(new Response());
  await server.shutdown();
});

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(10_000).fill(32)),
  });
}
