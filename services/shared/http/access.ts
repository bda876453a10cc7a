/**
 * Who may do what: everybody everything with AUTH_MODE=test, bearers of a signed token what its
 * claims say with AUTH_MODE=jwt.
 *
 * A token is a JWT signed with ES256, `Authorization: Bearer …`. Claims: `sub` and `exp` (required),
 * `ai_inference_support` (create and delete jobs), `media_store_write` (change entities), `is_admin`
 * (everything, and alone admin calls and delete-all). Reads are open unless READ_AUTH_ENABLED;
 * health, `/`, `/docs` and `/openapi.json` always are.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import type { MiddlewareHandler } from "hono";
import { verify } from "hono/jwt";
import { z } from "zod";
import { type CommonSettings, SettingsError } from "@fovea/process/settings";

export type Right = "read" | "ai_inference_support" | "media_store_write" | "is_admin";

/** Makes the middleware that lets a request pass only with `right`. */
export type Access = (right: Right) => MiddlewareHandler;

const claimsSchema = z.object({
  sub: z.string().min(1),
  exp: z.number(),
  ai_inference_support: z.boolean().default(false),
  media_store_write: z.boolean().default(false),
  is_admin: z.boolean().default(false),
});
type Claims = z.output<typeof claimsSchema>;

type AccessSettings = Pick<
  CommonSettings,
  "AUTH_MODE" | "PUBLIC_KEY_PATH" | "READ_AUTH_ENABLED" | "DATA_DIR"
>;

/** @throws {SettingsError} where the public key can't be read */
export async function openAccess(settings: AccessSettings): Promise<Access> {
  if (settings.AUTH_MODE === "test") return () => (_c, next) => next();
  const publicKey = await readPublicKey(
    settings.PUBLIC_KEY_PATH ?? `${settings.DATA_DIR}/public_key.pem`,
  );
  return (right) => async (c, next) => {
    if (right === "read" && !settings.READ_AUTH_ENABLED) return await next();
    const claims = await readToken(c.req.header("Authorization"), publicKey);
    if (right !== "read" && !claims.is_admin && !claims[right]) {
      throw new Problem("forbidden", `token of "${claims.sub}" lacks the claim "${right}"`);
    }
    return await next();
  };
}

async function readToken(header: string | undefined, publicKey: CryptoKey): Promise<Claims> {
  const token = header?.match(/^Bearer +(\S+)$/i)?.[1];
  if (token === undefined) {
    throw new Problem("unauthorized", "header Authorization: Bearer <token> is missing");
  }
  let payload: unknown;
  try {
    payload = await verify(token, publicKey, "ES256");
  } catch (error) {
    const expired = (error as Error).name === "JwtTokenExpired";
    throw new Problem("unauthorized", expired ? "token has expired" : "token is not valid here");
  }
  const claims = claimsSchema.safeParse(payload);
  if (!claims.success) {
    const wrong = claims.error.issues.map((issue) => issue.path.join("."));
    throw new Problem("unauthorized", `token's claims are missing or wrong: ${wrong.join(", ")}`);
  }
  return claims.data;
}

async function readPublicKey(path: string): Promise<CryptoKey> {
  try {
    const pem = await Deno.readTextFile(path);
    const base64 = pem.replace(/-----(BEGIN|END) PUBLIC KEY-----/g, "").replace(/\s/g, "");
    const der = Uint8Array.fromBase64(base64);
    return await crypto.subtle.importKey(
      "spki",
      der,
      { name: "ECDSA", namedCurve: "P-256" },
      false,
      ["verify"],
    );
  } catch (error) {
    const [reason] = (error as Error).message.split(" (os error");
    throw new SettingsError(
      `Cannot start: AUTH_MODE=jwt needs the issuer's P-256 public key (PEM) in ${path}: ` +
        `${reason}: set PUBLIC_KEY_PATH`,
    );
  }
}
