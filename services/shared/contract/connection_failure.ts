import { fetchFailure } from "./fetch_failure.ts";

/** Nobody listens there: no call has arrived. */
export const CONNECTION_REFUSED = "connection refused";

/** What the system says of a failed connection, and what a person would. */
const REASONS: [RegExp, string][] = [
  // Before the certificates, whose files can't be opened then.
  [/EMFILE|too many open files|os error 24/i, "too many open files here: see ulimit -n"],
  [/refused: (not authorized|bad user ?name)/i, "it refuses the user or the password"],
  // Of the fetch standard, for ports of other protocols: 6000, 6667 and some eighty more.
  [/requests to port \d+ are blocked/i, "HTTP clients refuse its port: choose another"],
  [/ECONNREFUSED|connection refused/i, CONNECTION_REFUSED],
  [/ENOTFOUND|EAI_AGAIN|dns error|failed to lookup/i, "host name not found"],
  [/EHOSTUNREACH|ENETUNREACH|unreachable/i, "no route to it"],
  [
    /certificate/i,
    "its certificate is not trusted here: DENO_CERT names a file of further issuers",
  ],
  [/ECONNRESET|EPIPE|reset|broken pipe|closed|incomplete/i, "it closed the connection"],
  // The words of mqtt-packet for bytes of another protocol.
  [/invalid header flag bits/i, "what answers there does not speak MQTT"],
  [/ETIMEDOUT|timed? ?out/i, "no answer in time"],
];

/** Says in a few words why a connection failed; the error's own words where they are not known. */
export function connectionFailure(error: unknown): string {
  const failure = fetchFailure(error);
  const { code, message } = failure as { code?: unknown; message?: string };
  const known = REASONS.find(([pattern]) => pattern.test(`${code ?? ""} ${message ?? ""}`));
  return known?.[1] ?? (message || String(failure));
}
