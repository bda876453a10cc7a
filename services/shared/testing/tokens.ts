/**
 * Signed tokens for AUTH_MODE=jwt, as another party would make them.
 *
 * @module
 */

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

/** An issuer's keys. */
export const keyPair = (): Promise<CryptoKeyPair> =>
  crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);

/** A public key as PUBLIC_KEY_PATH wants it. */
export async function pemOf(key: CryptoKey): Promise<string> {
  const der = new Uint8Array(await crypto.subtle.exportKey("spki", key));
  return `-----BEGIN PUBLIC KEY-----\n${der.toBase64()}\n-----END PUBLIC KEY-----\n`;
}

/** A JSON Web Token as RFC 7515 and 7518 describe it, valid for an hour unless `claims` says else. */
export async function tokenOf(key: CryptoKey, claims: Record<string, unknown>): Promise<string> {
  const text = new TextEncoder();
  const base64url = (bytes: Uint8Array) =>
    bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  const part = (value: unknown) => base64url(text.encode(JSON.stringify(value)));
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const signed = `${part({ alg: "ES256", typ: "JWT" })}.${part({ sub: "ann", exp, ...claims })}`;
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    key,
    text.encode(signed),
  );
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}
