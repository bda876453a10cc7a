import { z } from "zod";
import { strictObject } from "./fields.ts";

/** Digests that one question may have. */
const MAX_DIGESTS = 1000;

/** Body of `POST /entity/known`. */
export const knownQuestion = strictObject("member", {
  sha256: z.array(
    z.string().toLowerCase().regex(/^[0-9a-f]{64}$/, "64 digits of hex are expected"),
    "a list of SHA-256 digests is expected",
  ).min(1, "at least one digest is expected")
    .max(MAX_DIGESTS, `at most ${MAX_DIGESTS} digests are allowed: ask for the others again`),
}).meta({ id: "KnownQuestion" });
