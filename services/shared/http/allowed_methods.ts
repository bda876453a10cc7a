import type { Context, Hono } from "hono";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/**
 * The methods that a path has routes for, as `Allow` lists them (RFC 9110, 10.2.1); none where there
 * is no such path.
 */
// deno-lint-ignore no-explicit-any -- any app, whatever its variables
export function allowedMethods(app: Hono<any>, c: Context): string[] {
  const path = app.getPath(c.req.raw, { env: c.env });
  // Middleware is for all methods, and answers none.
  const hasRoute = (method: string) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method);
  const methods = METHODS.filter(hasRoute);
  if (methods.length === 0) return [];
  return [...methods, ...methods.includes("GET") ? ["HEAD"] : [], "OPTIONS"];
}
