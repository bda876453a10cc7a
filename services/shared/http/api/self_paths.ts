import { z } from "zod";
import { type ApiPaths, json } from "./operation.ts";

const tag = "service";

const welcome = z.object({ name: z.string(), version: z.string(), message: z.string() });

/** The calls that every service answers alike. */
export const selfPaths: ApiPaths = {
  "/": {
    get: {
      id: "welcome",
      tag,
      summary: "What this is",
      answers: { 200: json(welcome, "name, version and where to go on") },
    },
  },
  "/health": {
    get: {
      id: "health",
      tag,
      summary: "Whether the process lives",
      answers: { 200: json(z.object({ status: z.literal("ok") }), "it does") },
    },
  },
  "/metrics": {
    get: {
      id: "metrics",
      tag,
      summary: "Figures for Prometheus",
      answers: {
        200: {
          description: "in Prometheus's text format",
          content: { "text/plain": { schema: { type: "string" } } },
        },
      },
    },
  },
  "/openapi.json": {
    get: {
      id: "openapi",
      tag,
      summary: "This document",
      answers: { 200: json(z.looseObject({ openapi: z.string() }), "OpenAPI 3.1") },
    },
  },
  "/docs": {
    get: {
      id: "docs",
      tag,
      summary: "A page that shows all calls and tries them out",
      answers: {
        200: {
          description: "Swagger UI",
          content: { "text/html": { schema: { type: "string" } } },
        },
        302: { description: "/docs/, with a slash, leads to /docs" },
      },
    },
  },
  "/docs/{file}": {
    get: {
      id: "docsFile",
      tag,
      summary: "A file of that page",
      parameters: { path: z.object({ file: z.string() }) },
      answers: {
        200: {
          description: "style, program or picture",
          content: {
            "text/css": { schema: { type: "string" } },
            "text/javascript": { schema: { type: "string" } },
            "image/png": { schema: { type: "string", format: "binary" } },
          },
        },
      },
      problems: ["route_not_found"],
    },
  },
};
