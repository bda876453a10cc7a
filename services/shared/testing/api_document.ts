/**
 * Holds an API document against OpenAPI's own rules, against the routes there are, and against what
 * they really answer.
 *
 * @module
 */
import { Validator } from "@seriousme/openapi-schema-validator";
import type { Rights } from "@fovea/contract";
import { Ajv2020 } from "ajv/dist/2020.js";
import assert from "node:assert/strict";

/** As much of an OpenAPI document as is looked at here. */
interface Document {
  paths: Record<string, Record<string, Operation>>;
}

interface Operation {
  responses: Record<string, Answer>;
  /** Empty: open to everybody. */
  security?: unknown[];
}

interface Answer {
  content?: Record<string, unknown>;
}

/** @throws {AssertionError} where it is not a valid OpenAPI 3.1 document */
export async function assertValid(document: object): Promise<void> {
  const validator = new Validator();
  // The validator resolves references in place; the document is to stay as it is.
  const { valid, errors } = await validator.validate({ ...structuredClone(document) });
  assert.ok(valid, JSON.stringify(errors, null, 2));
  assert.equal(validator.version, "3.1");
}

/** @throws {AssertionError} naming each call that only one of app and document knows */
export function assertDescribes(
  document: object,
  app: { routes: readonly { method: string; path: string }[] },
): void {
  const served = app.routes
    // What is for all methods is middleware.
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) =>
      `${method} ${plain(path.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}"))}`
    );
  const described = callsOf(document).map(({ method, path }) => `${method} ${plain(path)}`);
  assert.deepEqual(described.sort(), [...new Set(served)].sort());
}

/** @throws {AssertionError} where the table of rights, the routes and the document do not agree */
export function assertRights(
  document: object,
  app: { routes: readonly { method: string; path: string }[] },
  rights: Rights,
): void {
  const served = app.routes.filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${plain(path)}`);
  assert.deepEqual(Object.keys(rights).sort(), [...new Set(served)].sort());
  for (const [path, operations] of Object.entries((document as Document).paths)) {
    for (const [method, { security = [] }] of Object.entries(operations)) {
      const call = `${method.toUpperCase()} ${plain(path.replaceAll(/\{(\w+)\}/g, ":$1"))}`;
      if (call.startsWith("HEAD ")) continue;
      assert.equal(security.length === 0, rights[call] === "open", call);
    }
  }
}

/** Takes a service's answers one by one. */
export interface Witness {
  /**
   * @throws {AssertionError} where the document does not foresee this answer; what it does not
   * describe at all must not be found
   */
  check(method: string, path: string, answer: Response): Promise<void>;
  /** Calls of the document for which no success was seen. */
  unseen(): string[];
}

/** Holds answers against the document: status, type and, where it is JSON, the whole body. */
export function witness(document: object): Witness {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, "api");
  const calls = callsOf(document).map((call) => ({
    ...call,
    pattern: new RegExp(`^${plain(call.path).replaceAll(/\{\w+\}/g, "[^/]+")}$`),
    seen: false,
  }))
    // "/job/new" is itself before it is a "/job/{id}".
    .sort((a, b) => a.path.split("{").length - b.path.split("{").length);

  return {
    async check(method, path, answer) {
      const { pathname } = new URL(path, "http://service");
      const wanted = method === "HEAD" ? "GET" : method;
      const call = calls.find((c) => c.method === wanted && c.pattern.test(plain(pathname)));
      if (call === undefined) {
        const isKnown = calls.some((c) => c.pattern.test(plain(pathname)));
        const status = isKnown ? (method === "OPTIONS" ? 204 : 405) : 404;
        return assert.equal(answer.status, status, `${method} ${pathname} is not described`);
      }
      const what = `${method} ${call.path} ${answer.status}`;
      const described = call.responses[answer.status];
      assert.ok(described, `${what} is not described`);
      if (answer.ok) call.seen = true;

      const type = answer.headers.get("Content-Type")?.split(";")[0];
      const types = Object.keys(described.content ?? {});
      if (type === undefined) return assert.deepEqual(types, [], `${what} has no type`);
      const key = types.find((known) => known === type || known === "*/*");
      assert.ok(key, `${what} is ${type}: described are ${types}`);
      if (!type.endsWith("json") || method === "HEAD") return;
      const place = ["paths", call.path, call.key, "responses", answer.status, "content", key];
      const validate = ajv.getSchema(`api#/${place.map(pointer).join("/")}/schema`);
      assert.ok(validate, `${what} has no schema`);
      const body = await answer.clone().json();
      assert.ok(
        validate(body),
        `${what}: ${JSON.stringify(body)}: ${ajv.errorsText(validate.errors)}`,
      );
    },
    unseen: () => calls.filter(({ seen }) => !seen).map(({ method, path }) => `${method} ${path}`),
  };
}

function callsOf(document: object) {
  return Object.entries((document as Document).paths).flatMap(([path, item]) =>
    Object.entries(item).map(([key, { responses }]) => ({
      path,
      key,
      method: key.toUpperCase(),
      responses,
    }))
  );
}

/** Without the slash at the end, which makes no difference to the services. */
const plain = (path: string) => path.replace(/(?<=.)\/$/, "");

/** A part of a JSON pointer in a URI fragment (RFC 6901). */
const pointer = (part: string | number) =>
  encodeURIComponent(String(part).replaceAll("~", "~0").replaceAll("/", "~1"));
