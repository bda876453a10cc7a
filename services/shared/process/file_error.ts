/** What the system says of a file, as it says it, without path and number. */
export function systemWords(error: unknown): string {
  const [words = ""] = (error as Error).message.split(/ \(os error \d+\)/);
  return words;
}

/** The same as it stands behind a colon. */
export function reasonOf(error: unknown): string {
  const words = systemWords(error);
  return words.charAt(0).toLowerCase() + words.slice(1);
}
