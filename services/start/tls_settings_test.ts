/**
 * What is said of a certificate and a key that are of no use, by both services.
 *
 * @module
 */
import { makeCertificates, openssl, runServiceToEnd, testNeeding } from "@fovea/testing";
import assert from "node:assert/strict";

testNeeding(
  [openssl],
  "a certificate without its key, and files that are none, stop the start with a plain message",
  async () => {
    await using certificates = await makeCertificates();
    const { server, client } = certificates;
    const refused = async (name: "media_store" | "inference", settings: Record<string, string>) => {
      const { code, stderr } = await runServiceToEnd(name, settings);
      assert.equal(code, 2, stderr);
      assert.doesNotMatch(stderr, / at .*\.ts/);
      return stderr;
    };
    for (const name of ["media_store", "inference"] as const) {
      assert.match(
        await refused(name, { TLS_CERT_FILE: server.cert }),
        /TLS_CERT_FILE and TLS_KEY_FILE belong together/,
      );
    }
    const { cert, key } = server;
    assert.match(
      await refused("media_store", { TLS_CERT_FILE: `${cert}.no`, TLS_KEY_FILE: key }),
      /server\.pem\.no \(TLS_CERT_FILE\) can't be read: No such file/,
    );
    assert.match(
      await refused("media_store", { TLS_CERT_FILE: cert, TLS_KEY_FILE: cert }),
      /\(TLS_KEY_FILE\) has no private key: expected a PEM file/,
    );
    assert.match(
      await refused("media_store", { TLS_CERT_FILE: cert, TLS_KEY_FILE: client.key }),
      /TLS_CERT_FILE and TLS_KEY_FILE do not fit/,
    );
    assert.match(
      await refused("media_store", { BASE_PATH: "fovea" }),
      /BASE_PATH is "fovea": a path/,
    );
  },
);
