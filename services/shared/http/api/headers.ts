/** What an answer's headers say, by their names. */
export type HeaderTexts = Readonly<Record<string, string>>;

/** Headers of an answer as OpenAPI writes them. */
export function describedHeaders(texts: HeaderTexts) {
  const described = Object.entries(texts).map(([name, description]) => [
    name,
    { schema: { type: "string" as const }, description },
  ]);
  return described.length === 0 ? {} : { headers: Object.fromEntries(described) };
}
