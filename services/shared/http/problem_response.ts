import { Problem, type ProblemDocument } from "@fovea/contract";
import type { Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { z } from "zod";
import { expectation, named } from "@fovea/process/expectation";
import type { Logger } from "@fovea/process/log";
import { allowedMethods } from "./allowed_methods.ts";
import { readText } from "./body.ts";
import { endConnectionOf } from "./connections.ts";
import { requestIdOf } from "./request_id.ts";

function answer(c: Context, problem: Problem): Response {
  const document: ProblemDocument = { ...problem.document(), request_id: requestIdOf(c) };
  // Made anew: a header that a route set before it failed belongs to an answer that never came.
  const headers = new Headers({ "Content-Type": "application/problem+json" });
  if (typeof document.retry_after_s === "number") {
    headers.set("Retry-After", String(document.retry_after_s));
  }
  if (problem.code === "range_not_satisfiable") {
    headers.set("Content-Range", `bytes */${document.file_size}`);
  }
  if (Array.isArray(document.allow)) headers.set("Allow", document.allow.join(", "));
  // RFC 9110, 12.5.3: what would be taken instead.
  if (problem.code === "unsupported_content_encoding") headers.set("Accept-Encoding", "identity");
  if (problem.code === "upgrade_required") headers.set("Upgrade", "websocket");
  // Of such a client nothing more is waited for.
  if (problem.code === "upload_stalled" || problem.code === "broken_body") {
    headers.set("Connection", "close");
    endConnectionOf(c.req.raw);
  }
  if (problem.code === "unauthorized") headers.set("WWW-Authenticate", "Bearer");
  return new Response(JSON.stringify(document), { status: document.status, headers });
}

/**
 * The one place where an error becomes an HTTP answer. What is not a {@link Problem} is logged in
 * full and answered without its text, which might hold a path or a stack.
 */
// deno-lint-ignore no-explicit-any -- any app, whatever its variables
export function answerProblems(app: Hono<any>, log: Logger): void {
  app.notFound((c) => {
    const { method } = c.req;
    const { pathname } = new URL(c.req.url);
    const allow = allowedMethods(app, c);
    if (allow.length === 0) {
      return answer(c, new Problem("route_not_found", `there is no ${method} ${pathname} here`));
    }
    if (method === "OPTIONS") return c.body(null, 204, { Allow: allow.join(", ") });
    const detail = `${method} is not for ${pathname}: it takes ${allow.join(", ")}`;
    return answer(c, new Problem("method_not_allowed", detail, { allow }));
  });
  app.onError((error, c) => {
    if (error instanceof Problem) return answer(c, error);
    if (error instanceof HTTPException && error.status === 400) {
      return answer(c, new Problem("malformed_body", `body can't be read: ${error.message}`));
    }
    const { method, path } = c.req;
    log.error({ err: error, request_id: requestIdOf(c), method, path }, "request failed");
    return answer(
      c,
      new Problem("internal_error", "the service failed to answer: its log says why"),
    );
  });
}

/** What may come as JSON: far more than any member may have, so that a long one is named. */
const MAX_JSON_BYTES = 1024 * 1024;

/**
 * Reads a JSON body, which has to be called one: any page may send text, and only what a browser
 * sends with this type it asks for beforehand.
 *
 * @throws {Problem} `unsupported_content_type`; `malformed_body` where it is no JSON;
 * `upload_too_large`, `upload_stalled`, `broken_body`
 */
export async function jsonBody(c: Context): Promise<unknown> {
  const sent = c.req.header("Content-Type");
  if (sent?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    const met = sent === undefined ? "is missing" : `is "${sent}"`;
    throw new Problem(
      "unsupported_content_type",
      `Content-Type ${met}: JSON is expected, as application/json`,
    );
  }
  const text = await readText(c.req.raw, MAX_JSON_BYTES);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Problem("malformed_body", `body is not JSON: ${(error as Error).message}`);
  }
}

/**
 * Holds a value against a schema.
 *
 * @throws {Problem} `code`, naming every member that is wrong, what it is and what is expected of it
 */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: "malformed_body" | "invalid_parameter" | "missing_field",
): z.output<Schema> {
  const read = schema.safeParse(value, { error: expectation, reportInput: true });
  if (read.success) return read.data;
  const faults = read.error.issues.map((issue) => {
    if (issue.path.length === 0) return issue.message;
    return `${named(issue.path, issue.input)}: ${issue.message}`;
  });
  throw new Problem(code, faults.join("; "));
}
