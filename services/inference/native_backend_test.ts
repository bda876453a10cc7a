/**
 * INFERENCE_BACKEND=native through the started service.
 *
 * @module
 */
import { endOf, temporaryFolder, testNeeding } from "@fovea/testing";
import { startSuite } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { loadNativeRuntime } from "./native/runtime.ts";
import { native } from "./testing/native_program.ts";

const ROOT = new URL("../../", import.meta.url);
const astronaut = await Deno.readFile(new URL("clients/images/astronaut.png", ROOT));

testNeeding(
  [native],
  "with the native backend both tasks are done, by workers that may do no more than others",
  async () => {
    await using suite = await startSuite({ INFERENCE_BACKEND: "native" });
    const { backend, tasks } = await suite.info();
    assert.match(backend, /^onnxruntime-node .* native$/);
    assert.deepEqual(tasks.map(({ state }) => state), ["ready", "ready"], JSON.stringify(tasks));
    const { id } = await suite.upload(astronaut);
    for (const task of ["face_detection", "image_embedding"] as const) {
      const { job_id } = await suite.submit(task, { media_store_id: id });
      const job = await suite.ended(job_id);
      assert.equal(job.status, "completed", job.error_message!);
      assert.match(job.model!.backend, /native/);
    }
  },
);

Deno.test("a native backend that may not be loaded is refused at the start, with what to do", async () => {
  await using folder = await temporaryFolder();
  const { code, stderr: said } = await endOf(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--allow-env", "--allow-net", "--allow-read", "--allow-write"],
      ...["--allow-sys", "--unstable-detect-cjs", "services/inference/main.ts"],
    ],
    cwd: ROOT,
    env: {
      INFERENCE_BACKEND: "native",
      INFERENCE_PORT: "0",
      MQTT_PORT: "0",
      DATA_DIR: folder.path,
    },
  });
  assert.equal(code, 2, said);
  assert.match(said, /Cannot start with INFERENCE_BACKEND=native/);
  assert.match(said, /native code is not allowed|it is not installed/);
  assert.match(
    said,
    /start the service by `\.\/fovea inference-native`, which installs and allows/,
  );
});

Deno.test("a native backend that is not installed is told as such", async () => {
  await using folder = await temporaryFolder();
  assert.throws(
    () => loadNativeRuntime(`file://${folder.path}/`),
    /Cannot load onnxruntime-node: it is not installed: start the service by/,
  );
});
