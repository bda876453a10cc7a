import { z } from "zod";
import { sha256Text, strictObject } from "./fields.ts";

/** Digests that one question may have. */
const MAX_DIGESTS = 1000;

/** Body of `POST /entity/known`. */
export const knownQuestion = strictObject("member", {
  sha256: z.array(
    sha256Text,
    "a list of SHA-256 digests is expected",
  ).min(1, "at least one digest is expected")
    .max(MAX_DIGESTS, `at most ${MAX_DIGESTS} digests are allowed: ask for the others again`),
}).meta({ id: "KnownQuestion" });
