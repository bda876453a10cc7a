import type { Item, Job } from "@fovea/contract";
import { endOf, startService, temporaryFolder } from "@fovea/testing";
import { BARE, clientOf, untilReady } from "../suite.ts";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";

interface Contents {
  entities: { item: Item; versions: Item[] }[];
  jobs: Job[];
}

const read = async <T>(url: string): Promise<T> => await (await fetch(url)).json();

/** Later versions say more of a thing; what was said before must stay. */
function assertSaid(now: object, before: object, what: string): void {
  for (const [member, value] of Object.entries(before)) {
    assert.deepEqual((now as Record<string, unknown>)[member], value, `${what}: ${member}`);
  }
}

async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function run(program: string, args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await endOf(program, { args, env });
  return { code, output: stdout + stderr };
}

for (const version of ["0.1.0"]) {
  Deno.test(`a DATA_DIR of version ${version} opens, and everything in it is there`, async () => {
    await using folder = await temporaryFolder();
    const archive = new URL(`${version}.tar.gz`, import.meta.url).pathname;
    assert.deepEqual(await run("tar", ["-C", folder.path, "-xzf", archive]), {
      code: 0,
      output: "",
    });
    const before: Contents = JSON.parse(
      await Deno.readTextFile(new URL(`${version}.json`, import.meta.url)),
    );
    const env = { DATA_DIR: folder.path };
    await using mediaStore = await startService("media_store", env);
    await using inference = await startService("inference", {
      ...BARE,
      ...env,
      MEDIA_STORE_URL: mediaStore.url,
    });
    await untilReady(inference);
    for (const { log } of [mediaStore, inference]) {
      const copied = log().find(({ msg }) => msg.startsWith("database copied before"));
      assert.ok((await Deno.stat(String(copied?.copy))).isFile);
    }

    for (const { item, versions } of before.entities) {
      const url = `${mediaStore.url}/entity/${item.id}`;
      assertSaid(await read(url), item, `entity ${item.id}`);
      for (const then of versions) {
        const what = `entity ${item.id}, version ${then.version}`;
        assertSaid(await read(`${url}?version=${then.version}`), then, what);
        if (then.sha256 === null) continue;
        const bytes = await (await fetch(`${url}/image?version=${then.version}`)).bytes();
        assert.equal(await sha256Of(bytes), then.sha256, what);
        const thumbnail = await fetch(`${url}/thumbnail?size=64&version=${then.version}`);
        await thumbnail.body?.cancel();
        assert.equal(thumbnail.status, item.label === "broken" ? 422 : 200, what);
      }
    }
    const listed = await read<{ items: Item[] }>(
      `${mediaStore.url}/entity/?page_size=100&include_deleted=true`,
    );
    assert.deepEqual(
      listed.items.map(({ id }) => id),
      before.entities.map(({ item }) => item.id),
    );
    const found = await read<{ items: Item[] }>(`${mediaStore.url}/entity/?search_query=eileen`);
    assert.deepEqual(found.items.map(({ label }) => label), ["Eileen Collins"]);

    const { job, ended, submit } = clientOf(mediaStore.url, inference.url);
    for (const then of before.jobs) {
      assertSaid(await job(then.job_id), then, `job ${then.job_id}`);
    }
    const faces = before.jobs.find(({ result }) => result !== null && "faces" in result)!;
    const again = await submit("face_detection", {
      media_store_id: faces.media_store_id,
      force: true,
    });
    assertSaid((await ended(again.job_id)).result!, faces.result!, "faces");
    const added = await submit("face_detection", { media_store_id: 6 });
    assert.equal((await ended(added.job_id)).status, "completed");

    for (const service of [mediaStore, inference]) {
      const wrong = service.log().filter(({ level, code }) =>
        level === "error" || level === "warn" && code !== "image_unreadable"
      );
      assert.deepEqual(wrong, []);
      assert.equal((await service.kill("SIGTERM")).code, 0);
    }
    const checked = await run(Deno.execPath(), ["task", "--quiet", "media-store", "--check"], {
      DATA_DIR: folder.path,
    });
    assert.match(checked.output, /^checked 7 files, .*: nothing is wrong\n$/);
    // Until there is a search that can be asked.
    using vectors = new DatabaseSync(`${folder.path}/inference/inference.sqlite`);
    const points = vectors.prepare("select point_id from image_embedding order by 1").all();
    assert.deepEqual(points.map(({ point_id }) => point_id), [2, 4, 5, 6]);
  });
}
