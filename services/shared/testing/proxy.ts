/** A reverse proxy, which takes its path away from what it passes on. */
export interface Proxy extends AsyncDisposable {
  readonly url: string;
}

export interface ProxyOptions {
  /** Where the service listens. */
  target: string;
  /** As in "/inference". */
  path?: string;
  /** PEM; with them the proxy is reached by https. */
  tls?: { cert: string; key: string };
  /** Told of each call before it is passed on. */
  before?: (request: Request) => Promise<void>;
}

export function startProxy(
  { target, path = "", tls, before = () => Promise.resolve() }: ProxyOptions,
): Proxy {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...tls },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      if (!pathname.startsWith(`${path}/`)) return new Response("not here", { status: 404 });
      await before(request);
      const { method, headers } = request;
      const body = method === "POST" ? await request.bytes() : null;
      const passed = new Headers(headers);
      passed.delete("host");
      return await fetch(target + pathname.slice(path.length) + search, {
        method,
        headers: passed,
        body,
      });
    },
  );
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${server.addr.port}${path}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
