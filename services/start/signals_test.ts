import { endOf, temporaryFolder, terminals, testNeeding } from "@fovea/testing";
import assert from "node:assert/strict";
import type { ProgramName } from "./command.ts";
import { CTRL_C, Terminal } from "./testing/terminal.ts";

const ROOT = new URL("../../", import.meta.url);

const SETTINGS = {
  MEDIA_STORE_PORT: "0",
  INFERENCE_PORT: "0",
  MQTT_PORT: "0",
  EMBEDDING_MODEL: "fixture",
  LOG_FORMAT: "json",
};

/** Runs the launcher in a terminal until the service listens; resolves with where it does. */
async function inTerminal(service: ProgramName, dataDir: string) {
  const terminal = new Terminal(`./fovea ${service}`, {
    cwd: ROOT,
    env: { ...SETTINGS, DATA_DIR: dataDir },
  });
  const [, port] = await terminal.line(/"http:\/\/127\.0\.0\.1:(\d+)".*"listening"/);
  return { terminal, port: Number(port) };
}

for (const service of ["media-store", "inference"] as const) {
  testNeeding([terminals], `Ctrl-C ends ${service} in order, though it comes twice`, async () => {
    await using folder = await temporaryFolder();
    const { terminal, port: _ } = await inTerminal(service, folder.path);
    await using _terminal = terminal;
    await terminal.type(CTRL_C);
    assert.equal(await terminal.code(), 0);
    await terminal.line(/"signal":"SIGINT"/);
  });

  for (const whom of ["the launcher", "its whole group"] as const) {
    Deno.test(`SIGTERM to ${whom} ends ${service} in order`, async () => {
      await using folder = await temporaryFolder();
      const launcher = new Deno.Command("./fovea", {
        args: [service],
        cwd: ROOT,
        env: { ...SETTINGS, DATA_DIR: folder.path },
        // A group of its own, which has its id.
        detached: true,
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const limit = setTimeout(() => launcher.kill("SIGKILL"), 60_000);
      let log = "";
      for await (const text of launcher.stderr.pipeThrough(new TextDecoderStream())) {
        const listens = log.includes('"listening"');
        log += text;
        if (listens || !log.includes('"listening"')) continue;
        const target = whom === "the launcher" ? launcher.pid : -launcher.pid;
        await endOf("kill", { args: ["-TERM", "--", String(target)] });
      }
      clearTimeout(limit);
      assert.equal((await launcher.status).code, 0, log);
      assert.match(log, /"signal":"SIGTERM"/);
    });
  }
}

testNeeding([terminals], "a second Ctrl-C, a moment after the first, ends at once", async () => {
  await using folder = await temporaryFolder();
  const { terminal, port } = await inTerminal("media-store", folder.path);
  await using _terminal = terminal;
  // A request that is still being sent: the service waits for it for ten seconds.
  using request = await Deno.connect({ port });
  await request.write(new TextEncoder().encode(
    "POST /entity/ HTTP/1.1\r\nHost: localhost\r\n" +
      "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n",
  ));
  await new Promise((resolve) => setTimeout(resolve, 300));
  await terminal.type(CTRL_C);
  await terminal.line(/"signal":"SIGINT"/);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  const asked = performance.now();
  await terminal.type(CTRL_C);
  assert.equal(await terminal.code(), 130);
  assert.ok(performance.now() - asked < 3000, "it went on after the second Ctrl-C");
});
