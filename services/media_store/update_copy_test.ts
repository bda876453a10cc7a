import { startService, temporaryFolder, until } from "@fovea/testing";
import assert from "node:assert/strict";
import { form, picture } from "./testing/test_app.ts";

for (const path of ["1", ""]) {
  const what = path === "" ? "all pictures" : "a picture";
  Deno.test(`the copy of before an update goes when somebody deletes ${what}`, async () => {
    await using folder = await temporaryFolder();
    const copy = `${folder.path}/media_store/entities.sqlite.before-update`;
    const isThere = () => Deno.stat(copy).then(() => true, () => false);
    await Deno.mkdir(`${folder.path}/media_store`);
    await Deno.writeTextFile(copy, "as it was");
    await using service = await startService("media_store", { DATA_DIR: folder.path });
    const call = async (path: string, init: RequestInit, status: number) => {
      const answer = await fetch(`${service.url}/entity/${path}`, init);
      await answer.body?.cancel();
      assert.equal(answer.status, status);
    };
    const image = await picture("horse.png");
    await call("", form({ is_collection: "false", image }), 201);
    assert.ok(await isThere());
    await call(path, { method: "DELETE" }, 200);
    await until("the removal of the copy", async () => !await isThere());
  });
}
