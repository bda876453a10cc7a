import assert from "node:assert/strict";
import { runServiceToEnd, startService } from "./service.ts";

Deno.test("a service listens on a free port, and is gone with its folder after the block", async () => {
  let url, dataDir;
  {
    await using service = await startService("media_store");
    ({ url, dataDir } = service);
    assert.ok(await (await fetch(url)).text());
    assert.equal(service.log()[0]?.msg, "listening");
    assert.ok((await Deno.stat(dataDir)).isDirectory);
  }
  await assert.rejects(fetch(url), TypeError);
  await assert.rejects(Deno.stat(dataDir), Deno.errors.NotFound);
});

Deno.test("a killed service can be started again on the same folder", async () => {
  await using first = await startService("media_store");
  assert.equal((await first.kill("SIGKILL")).signal, "SIGKILL");
  await using second = await startService("media_store", { DATA_DIR: first.dataDir });
  assert.equal(second.dataDir, first.dataDir);
});

Deno.test("a service that ends before it listens is reported with what it wrote", async () => {
  await assert.rejects(
    startService("media_store", { MEDIA_STORE_PORT: "many" }),
    /ended with exit code 2:[^]*MEDIA_STORE_PORT is "many"/,
  );
});

Deno.test("a service can be run to its end", async () => {
  const { code, stdout, stderr } = await runServiceToEnd("media_store", { AUTH_MODE: "open" });
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /AUTH_MODE is "open"/);
});
