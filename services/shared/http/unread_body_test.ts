import { endOf } from "@fovea/testing";
import { Hono } from "hono";
import assert from "node:assert/strict";
import pino from "pino";
import { listen } from "./serve.ts";
import { discardUnreadBody } from "./unread_body.ts";

const log = pino({ level: "silent" });

Deno.test("a client that sends a lot is told why it was refused before all was read", async () => {
  const app = new Hono();
  app.use(discardUnreadBody);
  app.post("/", (c) => c.text("not you", 401));
  const server = listen({ hostname: "127.0.0.1", port: 0, portSetting: "PORT", log }, app.fetch);
  // From a process of its own: in this one client and server would take turns, and never meet.
  const program = `
    for (let i = 0; i < 10; i++) {
      const body = new FormData();
      body.set("image", new File([new Uint8Array(10_000_000)], "large"));
      const response = await fetch(Deno.args[0], { method: "POST", body });
      console.log(response.status, await response.text());
    }`;
  const { stdout, stderr } = await endOf(Deno.execPath(), {
    args: ["eval", "--no-lock", program, server.url],
  });
  await server.shutdown();
  assert.equal(stdout, "401 not you\n".repeat(10), stderr);
});
