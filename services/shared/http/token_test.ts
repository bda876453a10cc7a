import { Problem } from "@fovea/contract";
import { keyPair, tokenOf } from "@fovea/testing";
import assert from "node:assert/strict";
import { type TokenRules, verifyToken } from "./token.ts";

const { publicKey, privateKey } = await keyPair();
const NOW_S = 1_800_000_000;
const DAY_S = 86_400;
const RULES: TokenRules = { publicKey, maxDays: 366, now: () => NOW_S * 1000 };

async function verified(claims: Record<string, unknown>, rules: Partial<TokenRules> = {}) {
  const token = await tokenOf(privateKey, { exp: NOW_S + 3600, ...claims });
  return await verifyToken(token, { ...RULES, ...rules });
}

async function refused(
  why: RegExp,
  claims: Record<string, unknown>,
  rules: Partial<TokenRules> = {},
): Promise<void> {
  const error = await verified(claims, rules).then(() => undefined, (error) => error);
  assert.ok(error instanceof Problem, `expected a refusal of ${JSON.stringify(claims)}`);
  assert.equal(error.code, "unauthorized");
  assert.match(error.message, why);
}

Deno.test("a token says whose it is and what it allows", async () => {
  const claims = await verified({ sub: "ann", media_store_write: true });
  assert.equal(claims.sub, "ann");
  assert.equal(claims.media_store_write, true);
  assert.equal(claims.is_admin, false);
});

Deno.test("clocks may be a minute apart, and not more", async () => {
  for (const claims of [{ exp: NOW_S - 55 }, { iat: NOW_S + 55 }, { nbf: NOW_S + 55 }]) {
    await verified(claims);
  }
  await refused(/it expired at 2027-01-15T07:58:55\.000Z \(exp\)/, { exp: NOW_S - 65 });
  await refused(/issued at .* \(iat\), which is yet to come/, { iat: NOW_S + 65 });
  await refused(/it begins at .* \(nbf\)/, { nbf: NOW_S + 65 });
});

Deno.test("a token that ends in the far future is taken up to the setting", async () => {
  await verified({ exp: NOW_S + 365 * DAY_S });
  await verified({ exp: NOW_S + 3000 * DAY_S }, { maxDays: 3650 });
  await refused(/at most 366 days from now are taken, see JWT_MAX_DAYS/, { exp: NOW_S + 9e9 });
  await refused(/\(exp\): at most 366 days/, { exp: 1e300 });
});

Deno.test("issuer and audience are checked where they are set", async () => {
  const rules = { issuer: "https://id.example", audience: "fovea" };
  await verified({ iss: rules.issuer, aud: ["other", "fovea"] }, rules);
  await verified({ iss: "anybody", aud: "anything" });
  await refused(/issuer \(iss\) is missing: "https:\/\/id\.example" is/, { aud: "fovea" }, rules);
  await refused(/issuer \(iss\) is "x"/, { iss: "x", aud: "fovea" }, rules);
  await refused(
    /meant for "x", "y" \(aud\): "fovea"/,
    { iss: rules.issuer, aud: ["x", "y"] },
    rules,
  );
  await refused(/meant for missing \(aud\)/, { iss: rules.issuer }, rules);
});

Deno.test("claims of a wrong kind are named", async () => {
  await refused(/missing or of a wrong kind: sub, is_admin/, { sub: "", is_admin: "yes" });
  await refused(/missing or of a wrong kind: exp/, { exp: "tomorrow" });
});

Deno.test("what nobody signed, or another one, is no token", async () => {
  const other = await keyPair();
  const [header, payload] = (await tokenOf(privateKey, {})).split(".");
  const none = btoa(JSON.stringify({ alg: "none", typ: "JWT" })).replace(/=+$/, "");
  const forged = [
    await tokenOf(other.privateKey, {}),
    `${none}.${payload}.`,
    `${header}.${payload}.`,
    `${header}.${payload}.AAAA`,
    "rubbish",
    "a.b.c",
    "",
  ];
  for (const token of forged) {
    await assert.rejects(verifyToken(token, RULES), /no JWT that the issuer's key has signed/);
  }
});
