import assert from "node:assert/strict";
import { z } from "zod";
import { schemaOf } from "./schema_of.ts";

interface Box {
  width: number;
  label?: string | null;
}

const width = z.number();
const label = z.exactOptional(z.string().nullable());

Deno.test("a schema that departs from its type does not compile", () => {
  // @ts-expect-error: label is missing
  schemaOf<Box>()({ width });
  // @ts-expect-error: a Box has no height
  schemaOf<Box>()({ width, label, height: z.number() });
  // @ts-expect-error: a width is never null
  schemaOf<Box>()({ width: width.nullable(), label });
  // @ts-expect-error: a width is any number
  schemaOf<Box>()({ width: z.literal(1), label });
  // @ts-expect-error: a label may be null
  schemaOf<Box>()({ width, label: z.exactOptional(z.string()) });
  const box = schemaOf<Box>()({ width, label });
  assert.deepEqual(box.parse({ width: 1 }) satisfies Box, { width: 1 });
});
