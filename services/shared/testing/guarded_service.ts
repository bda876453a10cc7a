/**
 * A service that wants tokens.
 *
 * @module
 */
import { type ServiceName, type ServiceProcess, startService } from "./service.ts";
import { temporaryFolder } from "./temporary_folder.ts";
import { keyPair, pemOf } from "./tokens.ts";

export interface GuardedService extends AsyncDisposable {
  service: ServiceProcess;
  /** Signs the tokens that this service takes. */
  privateKey: CryptoKey;
  call(path: string, token?: string, init?: RequestInit): Promise<Response>;
}

/** Starts a service with AUTH_MODE=jwt and an issuer of its own. */
export async function startGuarded(
  name: ServiceName,
  env: Record<string, string> = {},
): Promise<GuardedService> {
  await using cleanup = new AsyncDisposableStack();
  const { path } = cleanup.use(await temporaryFolder());
  const { publicKey, privateKey } = await keyPair();
  await Deno.writeTextFile(`${path}/key.pem`, await pemOf(publicKey));
  const service = cleanup.use(
    await startService(name, {
      AUTH_MODE: "jwt",
      PUBLIC_KEY_PATH: `${path}/key.pem`,
      ...env,
    }),
  );
  const owned = cleanup.move();
  return {
    service,
    privateKey,
    call: (path, token, init = {}) => {
      const headers = new Headers(init.headers);
      if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
      return fetch(`${service.url}${path}`, { ...init, headers });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
