import assert from "node:assert/strict";
import { connectionFailure } from "./connection_failure.ts";

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(() => assert.fail("nothing failed"), (error) => error);
}

Deno.test("a failed connection is explained in plain words", async () => {
  const reason = async (url: string) => connectionFailure(await failureOf(fetch(url)));
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr;
  closed.close();
  assert.equal(await reason(`http://127.0.0.1:${port}`), "connection refused");
  assert.equal(await reason("http://no-such-host.invalid"), "host name not found");
});

Deno.test("a peer that closes without a word is said to have closed", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const closing = (async () => {
    for await (const connection of listener) connection.close();
  })();
  const error = await failureOf(fetch(`http://127.0.0.1:${listener.addr.port}`));
  listener.close();
  await closing;
  assert.equal(connectionFailure(error), "it closed the connection");
});

Deno.test("a port that HTTP clients refuse, and too few file descriptors, are told as such", () => {
  const of = (words: string) => connectionFailure(new Error(words));
  assert.match(of("Fetch failed: Requests to port 6000 are blocked"), /refuse its port/);
  assert.match(of("certificates: Too many open files (os error 24)"), /^too many open files here/);
});

Deno.test("a broker that refuses the user is not said to be away", () => {
  for (const words of ["Not authorized", "Bad username or password"]) {
    assert.equal(
      connectionFailure(new Error(`Connection refused: ${words}`)),
      "it refuses the user or the password",
    );
  }
});

Deno.test("what is not known keeps its own words", () => {
  assert.equal(connectionFailure(new Error("Not authorized")), "Not authorized");
  const cause = new Error("the moon is full");
  assert.equal(connectionFailure(new TypeError("fetch failed", { cause })), "the moon is full");
});
