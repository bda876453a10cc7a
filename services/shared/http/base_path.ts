/**
 * Links of a service that is called under a path of a reverse proxy, which takes the path away.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";

/** @param path such as `/fovea`; "" where there is none */
export function underBasePath(path: string): MiddlewareHandler {
  return function knowBasePath(c, next) {
    c.set("basePath", path);
    return next();
  };
}

/** What to put before a path of the service, so that its clients find it. */
export function basePathOf(c: Context): string {
  return c.get("basePath") ?? "";
}
