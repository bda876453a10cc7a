/**
 * npm's registry as the user's npm settings have it: registries of scopes, tokens and passwords,
 * proxies, certificates.
 *
 * `strict-ssl=false` is not followed, since Deno checks certificates for a whole process or not at all
 * (`cafile` does what is mostly meant by it), and `ca` is trusted beside the system's certificates.
 *
 * @module
 */
import { type NpmSettings, readNpmSettings } from "./npm_settings.ts";

/** How npm's own registry, and so every mirror of it, names a tarball: `/name/-/name-1.2.3.tgz`. */
const TARBALL_PATH = /^\/(@[^/]+\/)?[^/]+\/-\/[^/]+\.tgz$/;

export class NpmRegistry implements Disposable {
  /** Ends in a slash. */
  readonly url: string;
  readonly #settings: NpmSettings;
  readonly #client: Deno.HttpClient;

  /** The registry that has a package. */
  constructor(packageName: string, settings: NpmSettings = readNpmSettings()) {
    const scope = packageName.startsWith("@") ? packageName.split("/")[0] : undefined;
    const ofScope = scope === undefined ? undefined : settings[`${scope}:registry`];
    this.url = String(ofScope || settings.registry || defaultRegistry()).replace(/\/*$/, "/");
    this.#settings = settings;
    this.#client = Deno.createHttpClient(connectionSettings(this.url, settings));
  }

  /** Asks an address as the settings say: with credentials, by a proxy. */
  async fetch(url: string, headers: HeadersInit, signal: AbortSignal): Promise<Response> {
    const all = new Headers(headers);
    const credentials = credentialsFor(url, this.#settings);
    if (credentials !== undefined) all.set("Authorization", credentials);
    return await fetch(url, { headers: all, signal, client: this.#client });
  }

  /** Where a tarball lies: most mirrors pass on the address that npm's own registry gives. */
  tarballUrl(url: string): string {
    const setting = this.#settings["replace-registry-host"] ?? "npmjs";
    const { host, pathname, search } = new URL(url);
    const isReplaced = setting === "npmjs"
      ? TARBALL_PATH.test(pathname)
      : setting === "always" || setting === host;
    return isReplaced ? new URL(pathname, this.url).href + search : url;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/**
 * The registry from which Deno has its packages: it keeps them in a folder of that name.
 *
 * @throws {Error} where that is not known
 */
function defaultRegistry(): string {
  const host = /\/npm\/([^/]+)\/zod\//.exec(import.meta.resolve("zod"))?.[1];
  if (host !== undefined) return `https://${host}/`;
  throw new Error("npm's registry is not known here: set registry in .npmrc");
}

/** The value of the header Authorization. */
function credentialsFor(url: string, settings: NpmSettings): string | undefined {
  const of = (name: string) => ofAddress(url, name, settings);
  const [token, basic, user, password] = ["_authToken", "_auth", "username", "_password"].map(of);
  if (token) return `Bearer ${token}`;
  if (basic) return `Basic ${basic}`;
  if (!user || !password) return undefined;
  return `Basic ${new TextEncoder().encode(`${user}:${atob(password)}`).toBase64()}`;
}

/** A setting such as `//host/path/:_authToken`, of the longest path that fits. */
function ofAddress(url: string, name: string, settings: NpmSettings): string | undefined {
  const { host, pathname } = new URL(url);
  const folders = pathname.split("/");
  for (let length = folders.length; length > 0; length--) {
    const path = folders.slice(0, length).join("/");
    const value = settings[`//${host}${path}/:${name}`] ?? settings[`//${host}${path}:${name}`];
    if (value) return String(value);
  }
  return undefined;
}

function connectionSettings(
  url: string,
  settings: NpmSettings,
): Deno.CreateHttpClientOptions & Partial<Deno.TlsCertifiedKeyPem> {
  const ca = [settings.ca || []].flat().map((pem) => pem.replaceAll("\\n", "\n"));
  if (settings.cafile) ca.push(Deno.readTextFileSync(String(settings.cafile)));
  const proxy = proxyFor(new URL(url), settings);
  const [cert, key] = [ofAddress(url, "certfile", settings), ofAddress(url, "keyfile", settings)];
  return {
    ...ca.length > 0 && { caCerts: ca },
    ...proxy !== undefined && { proxy },
    ...cert !== undefined && key !== undefined && {
      cert: Deno.readTextFileSync(cert),
      key: Deno.readTextFileSync(key),
    },
  };
}

/** What the settings name; proxies in HTTPS_PROXY and the like are taken by fetch itself. */
function proxyFor({ protocol, hostname }: URL, settings: NpmSettings): Deno.Proxy | undefined {
  const named = protocol === "https:" ? settings["https-proxy"] || settings.proxy : settings.proxy;
  if (!named || named === "null" || named === "false") return undefined;
  const exempt = [settings.noproxy || settings["no-proxy"] || []].flat()
    .flatMap((hosts) => hosts.split(",")).map((host) => host.trim().replace(/^\*?\./, ""));
  if (exempt.some((host) => host === hostname || hostname.endsWith(`.${host}`))) return undefined;
  const proxy = new URL(String(named));
  const basicAuth = {
    username: decodeURIComponent(proxy.username),
    password: decodeURIComponent(proxy.password),
  };
  proxy.username = proxy.password = "";
  return { url: proxy.href, ...basicAuth.username !== "" && { basicAuth } };
}
