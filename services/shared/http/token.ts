/**
 * Tokens: JSON Web Tokens (RFC 7519) signed with ES256 by one issuer, whose public key is known here.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import { systemWords } from "@fovea/process/file_error";
import { SettingsError } from "@fovea/process/settings";
import { verify } from "hono/jwt";
import { z } from "zod";

/** What a token says. */
export interface Claims {
  /** Whose it is. */
  sub: string;
  /** When it ends, seconds since the epoch. */
  exp: number;
  ai_inference_support: boolean;
  media_store_write: boolean;
  is_admin: boolean;
}

export interface TokenRules {
  publicKey: CryptoKey;
  /** `iss` must be this; undefined: any issuer that signs with the key. */
  issuer?: string | undefined;
  /** `aud` must be or contain this; undefined: any, or none. */
  audience?: string | undefined;
  /** A token that ends later than so many days from now is refused: it could not be taken back. */
  maxDays: number;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** How far the issuer's clock may be from this one, seconds. */
const LEEWAY_S = 60;

const DAY_S = 24 * 60 * 60;

const allows = z.boolean().default(false);
const claimsSchema = z.object({
  sub: z.string().min(1),
  exp: z.number(),
  nbf: z.number().optional(),
  iat: z.number().optional(),
  iss: z.string().optional(),
  aud: z.union([z.string(), z.array(z.string())]).optional(),
  ai_inference_support: allows,
  media_store_write: allows,
  is_admin: allows,
});
type AllClaims = z.output<typeof claimsSchema>;

/** @throws {Problem} `unauthorized`, which names the claim that is wrong and what it should be */
export async function verifyToken(token: string, rules: TokenRules): Promise<Claims> {
  let payload: unknown;
  try {
    payload = await verify(token, rules.publicKey, {
      alg: "ES256",
      exp: false,
      nbf: false,
      iat: false,
    });
  } catch {
    throw refused("it is no JWT that the issuer's key has signed with ES256");
  }
  const read = claimsSchema.safeParse(payload);
  if (!read.success) {
    const wrong = read.error.issues.map((issue) => issue.path.join("."));
    throw refused(`these claims are missing or of a wrong kind: ${wrong.join(", ")}`);
  }
  checkTimes(read.data, rules);
  checkParties(read.data, rules);
  return read.data;
}

function checkTimes({ exp, nbf, iat }: AllClaims, { maxDays, now = Date.now }: TokenRules): void {
  const time = Math.floor(now() / 1000);
  if (exp <= time - LEEWAY_S) throw refused(`it expired at ${date(exp)} (exp)`);
  if (exp > time + maxDays * DAY_S) {
    throw refused(
      `it ends at ${date(exp)} (exp): at most ${maxDays} days from now are taken, see JWT_MAX_DAYS`,
    );
  }
  if (nbf !== undefined && nbf > time + LEEWAY_S) throw refused(`it begins at ${date(nbf)} (nbf)`);
  if (iat !== undefined && iat > time + LEEWAY_S) {
    throw refused(`it was issued at ${date(iat)} (iat), which is yet to come: compare the clocks`);
  }
}

function checkParties({ iss, aud }: AllClaims, { issuer, audience }: TokenRules): void {
  if (issuer !== undefined && iss !== issuer) {
    throw refused(`its issuer (iss) is ${quoted(iss)}: "${issuer}" is expected`);
  }
  if (audience !== undefined && ![aud ?? []].flat().includes(audience)) {
    throw refused(`it is meant for ${quoted(aud)} (aud): "${audience}" is expected`);
  }
}

const refused = (why: string) => new Problem("unauthorized", `token is not valid here: ${why}`);

function date(seconds: number): string {
  const timeMs = seconds * 1000;
  return Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : `${seconds} s since 1970`;
}

const quoted = (value: string | string[] | undefined) =>
  value === undefined ? "missing" : [value].flat().map((one) => `"${one.slice(0, 80)}"`).join(", ");

/** @throws {SettingsError} where the file holds no P-256 public key (PEM) */
export async function readPublicKey(path: string): Promise<CryptoKey> {
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
    const reason = systemWords(error);
    throw new SettingsError(
      `Cannot start: AUTH_MODE=jwt needs the issuer's P-256 public key (PEM) in ${path}: ` +
        `${reason}: set PUBLIC_KEY_PATH`,
    );
  }
}
