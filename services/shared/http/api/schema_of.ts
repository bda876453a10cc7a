import { z } from "zod";

/** What each member of `T` may be: neither more nor less than `T` says. */
type ExactShape<T, Shape> = {
  [Member in keyof Shape]: Member extends keyof T
    ? Required<T>[Member] extends z.output<Shape[Member]> ? Shape[Member] : never
    : never;
};

/**
 * Makes the schema of a type of the contract, which does not compile once the two differ: in a
 * member missing or too many, or in what one may be.
 *
 * @example
 * ```ts
 * import { schemaOf } from "@fovea/http/api";
 * import { z } from "zod";
 *
 * interface Label {
 *   text?: string;
 * }
 * schemaOf<Label>()({ text: z.exactOptional(z.string()) });
 * ```
 */
export function schemaOf<T>() {
  return function schema<Shape extends { [Member in keyof T]-?: z.ZodType<Required<T>[Member]> }>(
    shape: Shape & ExactShape<T, Shape>,
  ): z.ZodObject<Shape> {
    return z.object<Shape>(shape);
  };
}
