/**
 * What a service says of itself: a welcome, its API as a document and as a page to try it out on,
 * and its figures.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import { Hono } from "hono";
import type { Registry } from "prom-client";
import swaggerUi from "swagger-ui-dist/package.json" with { type: "json" };
import { basePathOf } from "./base_path.ts";
import { takenAtPace } from "./pace.ts";
import type { ApiDocument } from "./api/document.ts";

export interface SelfOptions {
  /** As it stands in `GET /`. */
  name: string;
  version: string;
  /** Makes the document; asked once, at the first request for it. */
  describe: () => ApiDocument;
  metrics: Registry;
}

/** `/`, `/docs`, `/openapi.json`, which are open to everybody, and `/metrics`, which is a read. */
export function selfRoutes({ name, version, describe, metrics }: SelfOptions): Hono {
  const app = new Hono({ strict: false });
  app.get("/", (c) => {
    return c.json({ name, version, message: `Welcome to ${name}: /docs shows all it can do` });
  });

  let document: ApiDocument | undefined;
  app.get("/openapi.json", (c) => {
    document ??= describe();
    const basePath = basePathOf(c);
    return c.json(basePath === "" ? document : { ...document, servers: [{ url: basePath }] });
  });

  app.get("/metrics", async (c) => {
    return c.body(await metrics.metrics(), 200, { "Content-Type": metrics.contentType });
  });

  app.get("/docs", (c) => {
    // The page's links are relative, so that it works behind a proxy too, whatever prefix that adds.
    if (new URL(c.req.url).pathname.endsWith("/")) return c.redirect("../docs");
    return c.html(PAGE, 200, { "Content-Security-Policy": POLICY });
  });
  app.get("/docs/:file", async (c) => {
    const file = c.req.param("file");
    const type = FILES.get(file);
    if (type === undefined) throw new Problem("route_not_found", `the page has no file "${file}"`);
    const headers = { "Content-Type": type, "Cache-Control": "max-age=3600" };
    if (file === "start.js") return c.body(START, 200, headers);
    const { readable } = await Deno.open(new URL(file, SWAGGER_UI));
    return c.body(takenAtPace(c.req.raw, readable), 200, headers);
  });
  return app;
}

/** Swagger UI's folder, wherever the package lies. */
const SWAGGER_UI = import.meta.resolve("swagger-ui-dist/package.json");

/** The page's own files by name, and their types. */
const FILES = new Map([
  ["swagger-ui.css", "text/css; charset=utf-8"],
  ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
  ["favicon-32x32.png", "image/png"],
  ["start.js", "text/javascript; charset=utf-8"],
]);

/** Everything comes from this service; Swagger UI writes style attributes and draws with data: URLs. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

const PAGE = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Fovea: API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<div id="api">Swagger UI ${swaggerUi.version} is loading.</div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
`;

const START = `SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
});
`;
