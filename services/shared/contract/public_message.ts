import { fetchFailure } from "./fetch_failure.ts";

/**
 * What an error says, without the URLs and paths around it. Those may stand in the log, but a client of
 * a service must not see them.
 */
export function publicMessage(error: unknown): string {
  const failure = fetchFailure(error);
  const message = failure instanceof Error ? failure.message : String(failure);
  return message
    // Deno's fetch.
    .replace(/^error sending request .*?: client error \(\w+\): /, "")
    // Deno's file system: `: open '/a/path'`, `: rename '/a' -> '/b'`.
    .replace(/: \w+ '.*'$/m, "")
    // Modules that can't be loaded.
    .replace(/ ?"?file:\/\/\S+/g, "")
    .replace(/(read|write) access to ".*?"/, "$1 access");
}
