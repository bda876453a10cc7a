/**
 * Addresses as logs, errors and answers show them: without user, password, query and fragment, in
 * which secrets may stand.
 *
 * @module
 */

/** An address as it may be shown. */
export function publicAddress(address: URL | string): string {
  const { protocol, host, pathname } = new URL(address);
  return `${protocol}//${host}${pathname.replace(/\/$/, "")}`;
}

/** What somebody gave as an address as it may be shown; it need not be one. Other texts stay. */
export function withoutSecrets(text: string): string {
  if (!/@|\/\//.test(text)) return text;
  return text
    // A password may have every character; host and path have no @.
    .replace(/^(\w+:\/+)?.*@/s, "$1")
    .replace(/[?#].*$/s, "");
}
