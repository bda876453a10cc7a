import { fetchFailure } from "@fovea/contract";

/**
 * What an error says, without the URLs and paths around it: those may be told to the log, but not to
 * a client of a service that could not get a model.
 */
export function publicMessage(error: unknown): string {
  const failure = fetchFailure(error);
  const message = failure instanceof Error ? failure.message : String(failure);
  return message
    // Deno's fetch.
    .replace(/^error sending request .*?: client error \(\w+\): /, "")
    // Deno's file system: `: open '/a/path'`, `: rename '/a' -> '/b'`.
    .replace(/: \w+ '.*'$/, "")
    .replace(/(read|write) access to ".*?"/, "$1 access");
}
