import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { claimFolder } from "./folder.ts";
import { SettingsError } from "@fovea/process/settings";

Deno.test("a folder in use is refused, naming the process that uses it, and free after that", async () => {
  await using folder = await temporaryFolder();
  {
    using first = await claimFolder(folder.path, "inference");
    assert.equal(first.path, `${folder.path}/inference`);
    await assert.rejects(
      claimFolder(folder.path, "inference"),
      (error) =>
        error instanceof SettingsError &&
        error.message.includes(`another inference, process ${Deno.pid}, uses ${first.path}`),
    );
    using _other = await claimFolder(folder.path, "media_store");
  }
  using _again = await claimFolder(folder.path, "inference");
});
