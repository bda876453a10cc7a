/**
 * Embeddings of tokens, of which a text needs few: they are read where they are kept as they are
 * needed, so that a table of 100 MB takes no memory.
 *
 * @module
 */
export interface TokenTable {
  /**
   * @returns [tokens][width]
   * @throws {RangeError} where there is no such token
   */
  rows(tokens: readonly number[]): Float32Array;
}

/** A table in memory. @param table [vocabulary][width] */
export function tokenTableOf(table: Float32Array, width: number): TokenTable {
  const vocabulary = table.length / width;
  return {
    rows(tokens) {
      requireTokens(tokens, vocabulary);
      const rows = new Float32Array(tokens.length * width);
      tokens.forEach((token, i) => {
        rows.set(table.subarray(token * width, (token + 1) * width), i * width);
      });
      return rows;
    },
  };
}

/** @throws {RangeError} where one is none of the vocabulary */
export function requireTokens(tokens: readonly number[], vocabulary: number): void {
  const unknown = tokens.find((token) =>
    !Number.isInteger(token) || token < 0 || token >= vocabulary
  );
  if (unknown === undefined) return;
  throw new RangeError(`Cannot embed token ${unknown}: there are 0 to ${vocabulary - 1}`);
}
