/**
 * For tests: stands in for the hubs of the internet. A proxy connects every https address to one server.
 * A process that has `env` trusts its certificate.
 *
 * @module
 */
import { Child } from "@fovea/testing/child";
import { temporaryFolder } from "@fovea/testing";

/** The hosts in the manifest. */
const HOSTS = ["huggingface.co", "raw.githubusercontent.com"];

export interface Hub extends AsyncDisposable {
  /** Settings that make a process take this for the internet. */
  env: { HTTPS_PROXY: string; DENO_CERT: string };
  /** What was asked for, such as `https://huggingface.co/…`. */
  asked: string[];
}

/** @param answer what every hub answers @throws {Error} where openssl, which makes the certificate, fails */
export async function serveHub(
  answer: (request: Request) => Response | Promise<Response>,
): Promise<Hub> {
  await using cleanup = new AsyncDisposableStack();
  const { path } = cleanup.use(await temporaryFolder());
  await makeCertificate(path);
  const asked: string[] = [];
  const server = cleanup.use(Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert: await Deno.readTextFile(`${path}/cert.pem`),
    key: await Deno.readTextFile(`${path}/key.pem`),
    onListen: () => {},
  }, (request) => {
    asked.push(request.url);
    return answer(request);
  }));
  const proxy = cleanup.use(openProxy(server.addr.port));
  const owned = cleanup.move();
  return {
    env: { HTTPS_PROXY: proxy.url, DENO_CERT: `${path}/cert.pem` },
    asked,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function makeCertificate(folder: string): Promise<void> {
  const names = HOSTS.map((host) => `DNS:${host}`).join(",");
  await using openssl = new Child("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-days", "2", "-subj", "/CN=hub", "-addext", `subjectAltName=${names}`],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`],
    ],
  });
  const { code } = await openssl.status();
  if (code !== 0) throw new Error(`openssl failed: ${openssl.lines.join("\n")}`);
}

/** A proxy that connects each request, for any host, to one port of this machine. */
function openProxy(port: number): AsyncDisposable & { url: string } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const serving = (async () => {
    for await (const client of listener) {
      open.add(client);
      tunnel(client, port, open).catch(() => {/* Either end may hang up at any time. */});
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) close(connection);
      await serving;
    },
  };
}

async function tunnel(client: Deno.TcpConn, port: number, open: Set<Deno.TcpConn>): Promise<void> {
  const buffer = new Uint8Array(4096);
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    const read = await client.read(buffer);
    if (read === null) return close(client);
    head += new TextDecoder().decode(buffer.subarray(0, read));
  }
  const server = await Deno.connect({ hostname: "127.0.0.1", port });
  open.add(server);
  await client.write(new TextEncoder().encode("HTTP/1.1 200 Connected\r\n\r\n"));
  await Promise.all([
    client.readable.pipeTo(server.writable),
    server.readable.pipeTo(client.writable),
  ]);
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
