import { Problem } from "@fovea/contract";
import type { MiddlewareHandler } from "hono";

/**
 * Bodies are taken as they are: what is compressed (RFC 9110, 8.4) would be read as something else.
 *
 * @throws {Problem} `unsupported_content_encoding`
 */
export const refuseEncodedBodies: MiddlewareHandler = (c, next) => {
  const coding = c.req.header("Content-Encoding");
  if (coding !== undefined && coding.trim().toLowerCase() !== "identity") {
    throw new Problem(
      "unsupported_content_encoding",
      `Content-Encoding is "${coding}": send the body as it is, without that header`,
    );
  }
  return next();
};
