import { endOf, temporaryFolder, within } from "@fovea/testing";
import assert from "node:assert/strict";
import { Hono } from "hono";
import pino from "pino";
import { listen } from "./serve.ts";
import { upgradeWebSocket } from "./web_socket.ts";

const log = pino({ level: "silent" });

/** Runs a service whose `main` is `body`; `listen`, `askedToEnd` and `log` are at hand. */
async function runs(body: string): Promise<{ code: number; stderr: string }> {
  await using folder = await temporaryFolder();
  const script = `${folder.path}/script.ts`;
  await Deno.writeTextFile(
    script,
    `import { askedToEnd, listen, runService } from ${
      JSON.stringify(import.meta.resolve("./serve.ts"))
    };
    import pino from "pino";
    const log = pino({ level: "silent" });
    await runService(async () => {
      ${body}
    });`,
  );
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  return await endOf(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-all", "--config", config, script],
  });
}

Deno.test("a service whose server ends unasked ends too, with a message and exit code 1", async () => {
  const { code, stderr } = await runs(`
    let listener;
    const { listen: listenTcp } = Deno;
    Deno.listen = (options) => listener = listenTcp(options);
    const server = listen({ hostname: "127.0.0.1", port: 0, portSetting: "PORT", log }, () =>
      new Response("here"));
    setTimeout(() => listener.close(), 50);
    await askedToEnd(server);`);
  assert.equal(code, 1);
  assert.match(stderr, /^Stopped listening on http:\/\/127\.0\.0\.1:\d+: its listener was closed/m);
  assert.doesNotMatch(stderr, / at .*\.ts/);
});

Deno.test("a service that is asked to end does so without a word, with exit code 0", async () => {
  const { code, stderr } = await runs(`
    const server = listen({ hostname: "127.0.0.1", port: 0, portSetting: "PORT", log }, () =>
      new Response("here"));
    const asked = askedToEnd(server);
    Deno.kill(Deno.pid, "SIGTERM");
    await asked;
    await server.shutdown();
    await new Promise((resolve) => setTimeout(resolve, 50));`);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
});

Deno.test("a route that fails after it upgraded a request does not end the server", async () => {
  const app = new Hono();
  app.get("/", (c) => c.text("here"));
  app.get("/socket", (c) => {
    const { socket } = upgradeWebSocket(c.req.raw, "test");
    socket.onopen = () => socket.send("hello");
    throw new Error("too late");
  });
  app.onError((_error, c) => c.text("sorry", 500));
  const server = listen({
    hostname: "127.0.0.1",
    port: 0,
    portSetting: "PORT",
    webSockets: true,
    log,
  }, app.fetch);
  const client = new WebSocket(`${server.url.replace("http", "ws")}/socket`, "test");
  const heard = new Promise((resolve) => {
    client.onmessage = ({ data }) => resolve(data);
    client.onerror = () => resolve("nothing");
  });
  assert.equal(await within("a message", heard), "hello");
  const closed = new Promise((resolve) => client.onclose = resolve);
  client.close();
  await within("the end of the WebSocket", closed);
  assert.equal(await (await fetch(server.url)).text(), "here");
  await server.shutdown();
});
