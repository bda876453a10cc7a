import type { FaceDetectionResult, Job } from "@fovea/contract";
import { endOf, startService, temporaryFolder, testNeeding } from "@fovea/testing";
import assert from "node:assert/strict";
import { baseRuntime, compiledClients } from "../testing/compiled_clients.ts";
import { nobody } from "../testing/free_ports.ts";
import { compileClients } from "./compile.ts";
import member from "../deno.json" with { type: "json" };
import type { ClientName } from "./permissions.ts";
import { decodePicture } from "../annotation/picture.ts";

const PICTURE = new URL("../images/astronaut.png", import.meta.url).pathname;

const clients = compiledClients();

testNeeding([baseRuntime], "the compiled clients need nothing around them", async () => {
  for (const name of ["embed-client", "face-client"] as const) {
    assert.deepEqual(await clients.run(name, ["--version"]), {
      code: 0,
      stdout: `${member.version}\n`,
      stderr: "",
    });
    assert.match((await clients.run(name, ["--help"])).stdout, new RegExp(`^Usage: ${name} `));
    assert.equal((await clients.run(name, ["no-such.png"])).code, 2);
  }
});

testNeeding(
  [baseRuntime],
  "the compiled clients leave no code cache where others could lay one",
  async () => {
    await using temporary = await temporaryFolder();
    for (const name of ["embed-client", "face-client"] as const) {
      // Long enough a run for a cache to be written: it was, after this very one.
      const options = {
        args: [PICTURE, "--inference", nobody()],
        env: { TMPDIR: temporary.path },
      };
      for (let run = 0; run < 2; run++) {
        assert.equal((await endOf(clients.pathOf(name), options)).code, 4);
      }
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(temporary.path)), []);
  },
);

testNeeding([baseRuntime], "too few file descriptors are named as the reason", async () => {
  const args = [PICTURE, "--inference", nobody()];
  const said = new Set<string>();
  for (let descriptors = 12; descriptors < 24; descriptors++) {
    const script = `ulimit -n ${descriptors}; exec "$0" "$@"`;
    const { code, stderr } = await endOf("sh", {
      args: ["-c", script, clients.pathOf("face-client"), ...args],
    });
    // With fewer the runtime itself does not start.
    if (!stderr.includes("panicked")) said.add(`${code} ${stderr}`);
  }
  // Either there are too few, or enough to find that nobody is there.
  const tooFew = [...said].filter((text) => /too many open files/.test(text));
  assert.ok(tooFew.length > 0, [...said].join(""));
  for (const text of said) assert.match(text, /^[24] .*(too many open files|connection refused)/);
});

testNeeding(
  [baseRuntime],
  "embed-client carries nothing of what only face-client needs to draw",
  async () => {
    const sizeOf = async (name: ClientName) => (await Deno.stat(clients.pathOf(name))).size;
    assert.ok(await sizeOf("face-client") - await sizeOf("embed-client") > 300_000);
  },
);

testNeeding(
  [baseRuntime],
  "clients that are up to date are not compiled again, one that is missing is",
  async () => {
    const said: string[] = [];
    await compileClients((line) => said.push(line), clients.folder);
    assert.deepEqual(said, ["dist/embed-client and dist/face-client are up to date"]);

    await Deno.remove(clients.pathOf("face-client"));
    await compileClients((line) => said.push(line), clients.folder);
    assert.match(said.at(-2) ?? "", /^base runtime: /);
    assert.equal(said.at(-1), "compiled dist/face-client");
  },
);

testNeeding(
  [baseRuntime],
  "the compiled clients get a face and an embedding out of the services",
  async () => {
    await using mediaStore = await startService("media_store");
    await using inference = await startService("inference", {
      MEDIA_STORE_URL: mediaStore.url,
      // Models that need no hub.
      FACE_MODEL: "ultraface-rfb-320",
      EMBEDDING_MODEL: "fixture",
    });
    const where = ["--media-store", mediaStore.url, "--inference", inference.url];
    const args = [...where, "--json", PICTURE];

    await using folder = await temporaryFolder();
    const [out, crops] = [`${folder.path}/out.png`, `${folder.path}/faces`];
    const jpeg = new URL("../images/rocket.jpg", import.meta.url).pathname;
    const faces = await clients.run("face-client", [...args, "--annotate", out, "--crops", crops]);
    assert.equal(faces.code, 0, faces.stderr);
    const { width, height } = await decodePicture(await Deno.readFile(out));
    assert.deepEqual([width, height], [512, 512]);
    await decodePicture(await Deno.readFile(`${crops}/astronaut-face-1.png`));
    const drawn = await clients.run("face-client", [...where, jpeg, "--annotate", out]);
    assert.equal(drawn.code, 0, drawn.stderr);
    assert.equal((await decodePicture(await Deno.readFile(out))).width, 640);
    assert.equal(
      (JSON.parse(faces.stdout) as { result: FaceDetectionResult }).result.face_count,
      1,
    );

    const embedding = await clients.run("embed-client", args);
    assert.equal(embedding.code, 0, embedding.stderr);
    const { media_store_id, model, result } = JSON.parse(embedding.stdout) as Job;
    assert.match(model?.name ?? "", /fixture/);
    assert.match(embedding.stderr, /fixture/);
    assert.ok(result !== null && "embedding" in result);
    assert.equal(result.embedding.length, 512);
    assert.equal(result.point_id, media_store_id);
    assert.equal(media_store_id, (JSON.parse(faces.stdout) as Job).media_store_id);
  },
);
