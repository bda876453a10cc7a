/**
 * Groups of pictures of which each is alike to each other one (complete linkage): in a group there is
 * no chain in which the first and the last have nothing in common. The groups follow from the pairs
 * alone, in whatever order these come.
 *
 * @module
 */
export interface Pair {
  /** Ids of entities, the lower one first. */
  a: number;
  b: number;
  /** Higher is more alike. */
  score: number;
}

/**
 * Joins the most alike first, and two groups only where every picture of one is paired with every one
 * of the other.
 *
 * @returns ids in rising order; those groups first that have the most alike pair
 */
export function groupPairs(pairs: readonly Pair[]): number[][] {
  const partners = new Map<number, Set<number>>();
  for (const { a, b } of pairs) {
    partnersOf(partners, a).add(b);
    partnersOf(partners, b).add(a);
  }
  const groups = new Map<number, Group>();
  let begun = 0;
  const sorted = pairs.toSorted((x, y) => y.score - x.score || x.a - y.a || x.b - y.b);
  for (const { a, b } of sorted) {
    const one = groups.get(a) ?? { rank: Infinity, ids: new Set([a]) };
    const other = groups.get(b) ?? { rank: Infinity, ids: new Set([b]) };
    if (one === other || !areAllPaired(one.ids, other.ids, partners)) continue;
    const rank = Math.min(one.rank, other.rank, begun++);
    const joined = { rank, ids: one.ids.union(other.ids) };
    for (const id of joined.ids) groups.set(id, joined);
  }
  return [...new Set(groups.values())].sort((x, y) => x.rank - y.rank)
    .map(({ ids }) => [...ids].sort((x, y) => x - y));
}

interface Group {
  /** That of its first pair: the lowest is the most alike. */
  rank: number;
  ids: Set<number>;
}

function partnersOf(partners: Map<number, Set<number>>, id: number): Set<number> {
  let known = partners.get(id);
  if (known === undefined) partners.set(id, known = new Set());
  return known;
}

function areAllPaired(
  ones: Set<number>,
  others: Set<number>,
  partners: Map<number, Set<number>>,
): boolean {
  for (const one of ones) {
    const known = partners.get(one)!;
    for (const other of others) if (!known.has(other)) return false;
  }
  return true;
}
