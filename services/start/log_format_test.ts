import { temporaryFolder, terminals, testNeeding, within } from "@fovea/testing";
import { Child } from "@fovea/testing/child";
import assert from "node:assert/strict";
import { Terminal } from "./testing/terminal.ts";

const ROOT = new URL("../../", import.meta.url);

const SETTINGS = {
  MEDIA_STORE_PORT: "0",
  INFERENCE_PORT: "0",
  MQTT_PORT: "0",
  EMBEDDING_MODEL: "fixture",
  NO_COLOR: "1",
};

/** As a person reads it: the time of day with its offset to UTC, the level, what happened. */
const PRETTY = /^\[\d\d:\d\d:\d\d\.\d{3} [+-]\d{4}\] INFO: listening/;

for (const service of ["media-store", "inference"] as const) {
  Deno.test(`LOG_FORMAT=pretty has ${service} log for people also where no terminal is`, async () => {
    await using folder = await temporaryFolder();
    await using child = new Child(new URL("fovea", ROOT).pathname, {
      args: [service],
      env: { ...SETTINGS, DATA_DIR: folder.path, LOG_FORMAT: "pretty" },
    });
    const line = await within(
      `a line of ${service} about where it listens`,
      child.first((line) => line.includes("listening") ? line : undefined),
    );
    assert.match(line, PRETTY);
  });

  testNeeding([terminals], `in a terminal ${service} logs for people by itself`, async () => {
    await using folder = await temporaryFolder();
    await using terminal = new Terminal(`./fovea ${service}`, {
      cwd: ROOT,
      env: { ...SETTINGS, DATA_DIR: folder.path },
    });
    await terminal.line(PRETTY);
  });
}
