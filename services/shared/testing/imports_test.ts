/**
 * Imports run one way, those of types included.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** What lies somewhere in a folder, relative to the project. */
function files(folder: string, name: RegExp): string[] {
  return [...Deno.readDirSync(`${ROOT}${folder}`)].flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory) return /^\.|^node_modules$/.test(entry.name) ? [] : files(path, name);
    return name.test(entry.name) ? [path] : [];
  });
}

const read = (path: string) => Deno.readTextFileSync(`${ROOT}${path}`);

const FOLDERS = ["clients", "models", "services"];

/** The files behind what members of the workspace export: `@fovea/name/export`. */
const EXPORTS = new Map<string, string>(
  FOLDERS.flatMap((folder) => files(folder, /^deno\.json$/)).flatMap((path) => {
    const { name, exports = {} } = JSON.parse(read(path).replace(/^\s*\/\/.*$/gm, ""));
    return Object.entries(exports as Record<string, string>)
      .map(([key, file]) => [`${name}${key.slice(1)}`, join(dirname(path), file)] as const);
  }),
);

/** Which file imports which, of the project's own; examples in comments don't count. */
const IMPORTS: Graph = new Map(
  FOLDERS.flatMap((folder) => files(folder, /\.ts$/)).map((file) => {
    const code = read(file).replace(/^\s*\/?\*.*$/gm, "");
    const imported = [...code.matchAll(/(?:from|^import) "([^"]+)"/gm)].flatMap(([, target]) => {
      const path = target!.startsWith(".") ? join(dirname(file), target!) : EXPORTS.get(target!);
      return path?.endsWith(".ts") ? [path] : [];
    });
    return [file, new Set(imported)];
  }),
);

const FOR_TESTS = /_test\.ts$|(^|\/)testing\//;

/** The demo is a test that speaks: like the bench, it starts the services with the tests' helpers. */
const isProduct = (file: string) =>
  !FOR_TESTS.test(file) && !/(^|\/)(bench|golden|demo)\//.test(file);

/** The graph of what the files belong to. @param ownerOf undefined where a file is not looked at */
function between(ownerOf: (file: string) => string | undefined): Graph {
  const graph = new Map<string, Set<string>>();
  for (const [file, targets] of IMPORTS) {
    const owner = isProduct(file) ? ownerOf(file) : undefined;
    if (owner === undefined) continue;
    const owners = graph.get(owner) ?? new Set();
    graph.set(owner, owners);
    for (const target of targets) {
      const other = ownerOf(target);
      if (other !== undefined && other !== owner) owners.add(other);
    }
  }
  return graph;
}

/** A way that leads back to where it began; undefined where there is none. */
function circleIn(graph: Graph): string[] | undefined {
  const done = new Set<string>();
  function from(node: string, way: readonly string[]): string[] | undefined {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const circle = from(next, [...way, node]);
      if (circle !== undefined) return circle;
    }
    done.add(node);
    return undefined;
  }
  for (const node of graph.keys()) {
    const circle = from(node, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

Deno.test("no files import each other in a circle", () => {
  assert.ok(IMPORTS.size > 500);
  assert.equal(circleIn(IMPORTS), undefined);
});

/** The graph of the folders of a service, and of the files that lie in none. */
function foldersOf(service: string): Graph {
  return between((file) => {
    const path = relative(`services/${service}`, file);
    return path.startsWith("..") ? undefined : path.split("/")[0];
  });
}

Deno.test("the folders of media_store import one way", () => {
  const graph = foldersOf("media_store");
  assert.equal(circleIn(graph), undefined);
  assert.deepEqual(graph.get("blobs"), new Set());
  assert.ok(graph.get("entities")?.has("transfer"));
  assert.ok(graph.get("columns")?.has("entities"));
});

Deno.test("the folders of inference import one way", () => {
  const graph = foldersOf("inference");
  assert.equal(circleIn(graph), undefined);
  assert.deepEqual(graph.get("database"), new Set());
  assert.ok(graph.get("jobs")?.has("events"));
  assert.ok(graph.get("delivery")?.has("jobs"));
});

Deno.test("services import no other service, and what is shared imports none", () => {
  const memberOf = (file: string) =>
    /^(models\/vit|clients|models|services\/(media_store|inference|shared))\//.exec(file)?.[1];
  const graph = between(memberOf);
  const imports = (member: string) => [...graph.get(member) ?? []].sort();
  assert.deepEqual(imports("models/vit"), []);
  assert.deepEqual(imports("services/shared"), []);
  assert.deepEqual(imports("models"), ["models/vit", "services/shared"]);
  assert.deepEqual(imports("services/media_store"), ["services/shared"]);
  assert.deepEqual(imports("services/inference"), ["models", "models/vit", "services/shared"]);
  assert.deepEqual(imports("clients"), ["services/shared"]);
});

Deno.test("no program imports what is for tests", () => {
  const found = [...IMPORTS].flatMap(([file, targets]) =>
    [...targets].filter((target) => isProduct(file) && FOR_TESTS.test(target))
      .map((target) => `${file} → ${target}`)
  );
  assert.deepEqual(found, []);
});

Deno.test("no package is there in two versions", () => {
  const versions = new Map<string, Set<string>>();
  for (const path of ["deno.json", ...FOLDERS.flatMap((folder) => files(folder, /^deno\.json$/))]) {
    for (
      const [, name, version] of read(path).matchAll(/"npm:\/?((?:@[^/]+\/)?[^@/"]+)@([^"/]+)/g)
    ) {
      versions.set(name!, (versions.get(name!) ?? new Set()).add(version!));
    }
  }
  assert.ok(versions.size > 30, `${versions.size} packages`);
  assert.deepEqual([...versions].filter(([, { size }]) => size > 1), []);
});
