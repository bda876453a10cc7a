/** Why the system would not do something with a file, in its own words, without path and number. */
export function reasonOf(error: unknown): string {
  const [words = ""] = (error as Error).message.split(/ \(os error \d+\)/);
  return words.charAt(0).toLowerCase() + words.slice(1);
}
