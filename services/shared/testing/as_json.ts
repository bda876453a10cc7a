/** A request whose body is a value as JSON. */
export const asJson = (
  value: unknown,
  method = "POST",
  headers: Record<string, string> = {},
): RequestInit => asJsonText(JSON.stringify(value), method, headers);

/** A request whose body says that it is JSON, whatever it is. */
export function asJsonText(
  body: string,
  method = "POST",
  headers: Record<string, string> = {},
): RequestInit {
  return { method, headers: { "Content-Type": "application/json", ...headers }, body };
}
