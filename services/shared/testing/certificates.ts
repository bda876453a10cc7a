/**
 * A private authority and what it signed, made by openssl, for tests of TLS.
 *
 * @module
 */
import { Child } from "./child.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** Paths of PEM files. Disposing removes them. */
export interface Certificates extends AsyncDisposable {
  ca: string;
  /** For `127.0.0.1` and `localhost`. */
  server: { cert: string; key: string };
  client: { cert: string; key: string };
}

/** @throws {Error} where openssl fails */
export async function makeCertificates(): Promise<Certificates> {
  const folder = await temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(["req", "-x509", ...newKey, "-days", "2", "-subj", "/CN=Private authority"], {
    "-keyout": at("ca.key"),
    "-out": at("ca.pem"),
  });
  const sign = async (name: string, extensions: string) => {
    await Deno.writeTextFile(at(`${name}.ext`), extensions);
    await openssl(["req", ...newKey, "-subj", `/CN=${name}`], {
      "-keyout": at(`${name}.key`),
      "-out": at(`${name}.csr`),
    });
    await openssl(["x509", "-req", "-days", "2", "-CAcreateserial"], {
      "-in": at(`${name}.csr`),
      "-CA": at("ca.pem"),
      "-CAkey": at("ca.key"),
      "-extfile": at(`${name}.ext`),
      "-out": at(`${name}.pem`),
    });
    return { cert: at(`${name}.pem`), key: at(`${name}.key`) };
  };
  return {
    ca: at("ca.pem"),
    server: await sign("server", "subjectAltName=IP:127.0.0.1,DNS:localhost\n"),
    client: await sign("client", "extendedKeyUsage=clientAuth\n"),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

async function openssl(args: string[], files: Record<string, string>): Promise<void> {
  await using child = new Child("openssl", { args: [...args, ...Object.entries(files).flat()] });
  const { code } = await child.status();
  if (code !== 0) throw new Error(`openssl failed: ${child.lines.join("\n")}`);
}
