/** Files of a certificate for 127.0.0.1 and of who issued it, which nobody trusts by himself. */
export interface Certificates {
  ca: string;
  cert: string;
  key: string;
}

/** Makes them with openssl, in `folder`. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const openssl = async (...args: string[]) => {
    const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder }).output();
    if (!success) throw new Error(`Cannot run openssl: ${new TextDecoder().decode(stderr)}`);
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    ...["req", "-x509", "-days", "2", "-subj", "/CN=Test issuer", ...newKey],
    ...["-keyout", "ca.key", "-out", "ca.pem"],
  );
  await openssl(
    ...["req", "-subj", "/CN=127.0.0.1", ...newKey, "-keyout", "server.key", "-out", "server.csr"],
  );
  await Deno.writeTextFile(`${folder}/names`, "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  await openssl(
    ...["x509", "-req", "-days", "2", "-in", "server.csr", "-extfile", "names", "-CA", "ca.pem"],
    ...["-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem"],
  );
  return {
    ca: `${folder}/ca.pem`,
    cert: `${folder}/server.pem`,
    key: `${folder}/server.key`,
  };
}
