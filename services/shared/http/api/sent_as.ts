import type { ZodOpenApiOverride } from "zod-openapi";

type JsonSchema = Parameters<Extract<ZodOpenApiOverride, (ctx: never) => unknown>>[0]["jsonSchema"];

/**
 * For `.meta()`: shows what a text in a query, path or form stands for, where the schema itself
 * could only tell of the text.
 *
 * @example
 * ```ts
 * import { sentAs } from "@fovea/http/api";
 * import { z } from "zod";
 *
 * const id = z.string().regex(/^\d+$/).transform(Number).meta(sentAs({ type: "integer", minimum: 1 }));
 * ```
 */
export function sentAs(meaning: JsonSchema): { override: ZodOpenApiOverride } {
  return {
    override({ jsonSchema }) {
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key as keyof JsonSchema];
      Object.assign(jsonSchema, meaning);
    },
  };
}
