/**
 * The clients with services that want tokens, as they are started.
 *
 * @module
 */
import { keyPair, pemOf, temporaryFolder, tokenOf } from "@fovea/testing";
import { startSuite } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { runClient } from "../testing/client_process.ts";
import { StandIn } from "../testing/stand_in.ts";

const PICTURE = new URL("../images/astronaut.png", import.meta.url).pathname;
const CLAIMS = { media_store_write: true, ai_inference_support: true };

/** Both services with AUTH_MODE=jwt, where reading wants a token, too. */
async function startGuardedSuite(settings: Record<string, string> = {}) {
  await using cleanup = new AsyncDisposableStack();
  const { path } = cleanup.use(await temporaryFolder());
  const { publicKey, privateKey } = await keyPair();
  await Deno.writeTextFile(`${path}/key.pem`, await pemOf(publicKey));
  const guard = {
    AUTH_MODE: "jwt",
    READ_AUTH_ENABLED: "true",
    PUBLIC_KEY_PATH: `${path}/key.pem`,
  };
  const FOVEA_TOKEN = await tokenOf(privateKey, CLAIMS);
  const suite = cleanup.use(await startSuite({ ...guard, FOVEA_TOKEN, ...settings }, guard));
  const where = ["--media-store", suite.mediaStore.url, "--inference", suite.inference.url];
  const owned = cleanup.move();
  return {
    run: (env: Record<string, string>, options: string[] = []) =>
      runClient("face-client", [PICTURE, ...where, ...options], env),
    tokenFile: `${path}/token`,
    token: (claims: Record<string, unknown> = {}) => tokenOf(privateKey, { ...CLAIMS, ...claims }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test("a client needs a token, from a variable or a file, and is told which it lacks", async () => {
  await using suite = await startGuardedSuite();
  const { run, token, tokenFile } = suite;

  const without = await run({});
  assert.equal(without.code, 1);
  assert.match(
    without.stderr,
    /^Cannot run face-client: inference: a token is missing.*: set FOVEA_TOKEN to a token for it$/m,
  );
  assert.doesNotMatch(without.stderr, /--mqtt/);

  const exp = Math.floor(Date.now() / 1000) - 3600;
  const ended = await run({ FOVEA_TOKEN: await token({ exp }) });
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /inference: token .* expired at .*: see the token in FOVEA_TOKEN$/m);

  await Deno.writeTextFile(tokenFile, await token({ exp }));
  const file = await run({ FOVEA_TOKEN_FILE: tokenFile, FOVEA_TOKEN: await token() });
  assert.equal(file.code, 1);
  assert.match(file.stderr, /expired.*: see the token in the file that FOVEA_TOKEN_FILE names$/m);

  await Deno.writeTextFile(tokenFile, "\n");
  const empty = await run({ FOVEA_TOKEN_FILE: tokenFile });
  assert.match(
    empty.stderr,
    /the file that FOVEA_TOKEN_FILE names is empty: put a token for it there$/m,
  );

  await Deno.writeTextFile(tokenFile, await token());
  for (const env of [{ FOVEA_TOKEN: await token() }, { FOVEA_TOKEN_FILE: tokenFile }]) {
    const { code, stdout, stderr } = await run(env);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /1 face/);
  }
});

Deno.test("a broker of the user's own that inference names never sees the token", async () => {
  await using broker = await StandIn.start();
  await using suite = await startGuardedSuite({ MQTT_URL: broker.mqttUrl });
  const { code, stderr } = await suite.run({ FOVEA_TOKEN: await suite.token() });
  assert.equal(code, 0, stderr);
  assert.ok(broker.logins.length >= 2, "inference and the client have connected");
  for (const { user, password } of broker.logins) {
    assert.deepEqual([user, password], [undefined, undefined]);
  }
});
