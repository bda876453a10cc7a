/**
 * Who may do what: everybody everything with AUTH_MODE=test, bearers of a token what its claims say
 * with AUTH_MODE=jwt. What each call wants stands in the contract's rights.ts.
 *
 * @module
 */
import { Problem, type Right, type Rights } from "@fovea/contract";
import type { CommonSettings } from "@fovea/process/settings";
import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { type Claims, readPublicKey, type TokenRules, verifyToken } from "./token.ts";

export interface Access {
  /**
   * Lets those pass who may.
   *
   * @param token as it came, if one came
   * @returns what the token says; null where none was needed and none was looked at
   * @throws {Problem} `unauthorized`, `forbidden`
   */
  check(right: Right, token: string | undefined): Promise<Claims | null>;
}

type AccessSettings = Pick<
  CommonSettings,
  | "AUTH_MODE"
  | "PUBLIC_KEY_PATH"
  | "READ_AUTH_ENABLED"
  | "JWT_ISSUER"
  | "JWT_AUDIENCE"
  | "JWT_MAX_DAYS"
  | "DATA_DIR"
>;

/** For AUTH_MODE=test. */
export const EVERYBODY: Access = { check: () => Promise.resolve(null) };

/** @throws {SettingsError} where the public key can't be read */
export async function openAccess(settings: AccessSettings): Promise<Access> {
  if (settings.AUTH_MODE === "test") return EVERYBODY;
  const rules: TokenRules = {
    publicKey: await readPublicKey(
      settings.PUBLIC_KEY_PATH ?? `${settings.DATA_DIR}/public_key.pem`,
    ),
    issuer: settings.JWT_ISSUER,
    audience: settings.JWT_AUDIENCE,
    maxDays: settings.JWT_MAX_DAYS,
  };
  return {
    async check(right, token) {
      if (right === "open" || (right === "read" && !settings.READ_AUTH_ENABLED)) return null;
      if (token === undefined) {
        throw new Problem(
          "unauthorized",
          "a token is missing: over HTTP it comes as Authorization: Bearer <token>, over MQTT as password",
        );
      }
      const claims = await verifyToken(token, rules);
      if (right === "read" || right === "token" || claims.is_admin || claims[right]) return claims;
      throw new Problem("forbidden", `token of "${claims.sub}" lacks the claim "${right}"`);
    },
  };
}

/** Lets each call of an app pass only with the right that the table names for it. */
export function accessGuard(access: Access, rights: Rights): MiddlewareHandler {
  return async function guardAccess(c, next) {
    // An unknown path, or method of a path, is answered as such to everybody.
    const call = matchedRoutes(c).find(({ method }) => method !== "ALL");
    if (call !== undefined) {
      const right = rights[`${call.method} ${call.path.replace(/(.)\/$/, "$1")}`] ?? "is_admin";
      const token = c.req.header("Authorization")?.match(/^Bearer +(\S+)$/i)?.[1];
      await access.check(right, token);
    }
    await next();
  };
}
