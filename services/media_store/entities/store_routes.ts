/**
 * `GET /store`: which store this is, for whoever keeps something by the ids of its entities.
 *
 * @module
 */
import { sentAs } from "@fovea/http/api";
import { queryOf } from "@fovea/http/query";
import { Hono } from "hono";
import { z } from "zod";
import { strictObject } from "./fields.ts";
import type { TransactionRepository } from "./transactions.ts";

export const transactionNumber = z.string()
  .regex(/^\d{1,15}$/, "a whole number from 0 is expected").transform(Number)
  .meta({
    description: "the last transaction that one has seen",
    ...sentAs({ type: "integer", minimum: 0 }),
  });

export const transactionTag = z.string()
  .regex(/^[0-9a-f]{16}$/, "16 digits of lower-case hex are expected")
  .meta({ description: "its tag" });

/** Whether a transaction comes with its tag, or neither does. */
export const arePaired = ({ after, tag }: { after?: unknown; tag?: unknown }) =>
  (after === undefined) === (tag === undefined);

export const UNPAIRED = "after and tag go together: one of them is missing";

export const storeQuery = strictObject("parameter", {
  after: transactionNumber.optional(),
  tag: transactionTag.optional(),
}).refine(arePaired, UNPAIRED);

export function storeRoutes(
  { transactions }: { transactions: TransactionRepository },
): Hono {
  const routes = new Hono({ strict: false });
  routes.get("/", async (c) => {
    const { after, tag } = queryOf(c, storeQuery);
    if (after !== undefined && tag !== undefined) {
      await transactions.checkSeen({ transaction_id: after, tag });
    }
    return c.json(await transactions.position());
  });
  return routes;
}
