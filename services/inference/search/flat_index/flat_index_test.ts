import assert from "node:assert/strict";
import type { Facets, IndexedVector, Rank, VectorQuestion } from "../vector_index.ts";
import { MemorySource, normalised, seeded, vectorMaker } from "../testing/vectors.ts";
import { FlatIndex, type FlatIndexOptions } from "./flat_index.ts";

const PLAIN: Facets = { parentId: null, createDate: null, isDeleted: false };

function sourceOf(count: number, dimension: number, seed = 1): MemorySource {
  const make = vectorMaker(dimension, seed);
  const source = new MemorySource();
  for (let id = 1; id <= count; id++) source.add({ id, vector: make(), facets: PLAIN });
  return source;
}

/** Fresh pictures, pictures that are there nearly so, and texts, which lie far from all of them. */
function questions(source: MemorySource, dimension: number, seed = 99): Float32Array[] {
  const dice = seeded(seed);
  const fresh = vectorMaker(dimension, seed);
  const stored = [...source.vectors.values()];
  const noisy = (vector: Float32Array, scale: number) =>
    normalised(vector.map((value) => value + scale * (dice() - 0.5)));
  return [
    ...Array.from({ length: 4 }, fresh),
    ...Array.from(
      { length: stored.length > 0 ? 4 : 0 },
      () => noisy(stored[Math.floor(dice() * stored.length)]!.vector, 0.01),
    ),
    ...Array.from({ length: 4 }, () => noisy(fresh().map((value) => 0.3 * value), 0.3)),
  ];
}

async function assertExact(
  index: FlatIndex,
  source: MemorySource,
  question: VectorQuestion,
): Promise<Rank[]> {
  const { hits } = await index.search(question);
  assert.deepEqual(hits, source.bruteForce(question));
  return hits;
}

const indexOf = (
  source: MemorySource,
  dimension: number,
  options: Partial<FlatIndexOptions> = {},
) => FlatIndex.of({ source, dimension, ...options });

for (const [dimension, threads] of [[512, 1], [512, 2], [20, 1], [2048, 2], [1, 1]] as const) {
  Deno.test(`in ${dimension} dimensions on ${threads} threads the results are those of looking at every vector`, async () => {
    const source = sourceOf(3000, dimension);
    await using index = await indexOf(source, dimension, { threads });
    assert.equal(index.size, 3000);
    for (const vector of questions(source, dimension)) {
      for (const limit of [1, 10, 100]) await assertExact(index, source, { vector, limit });
    }
  });
}

Deno.test("few vectors are looked at exactly, however many there are", async () => {
  const source = sourceOf(20_000, 64);
  await using index = await indexOf(source, 64);
  const asked = questions(source, 64);
  source.reads = 0;
  for (const vector of asked) await assertExact(index, source, { vector, limit: 10 });
  assert.ok(source.reads / asked.length < 1000, `${source.reads / asked.length} for each question`);
});

Deno.test("no vectors, one, fewer than are asked for, and more than a segment", async () => {
  for (const count of [0, 1, 7, 8191, 8193]) {
    const source = sourceOf(count, 32);
    await using index = await indexOf(source, 32);
    for (const vector of questions(source, 32)) {
      await assertExact(index, source, { vector, limit: 10 });
    }
  }
});

Deno.test("equal vectors come by their ids, and pages neither overlap nor skip", async () => {
  const make = vectorMaker(64, 3);
  const source = new MemorySource();
  const same = make();
  // In an order of their own, and many more of one kind than a page.
  for (let id = 1500; id >= 1; id--) {
    source.add({ id, vector: id % 3 === 0 ? make() : same, facets: PLAIN });
  }
  await using index = await indexOf(source, 64, { threads: 2 });
  for (const vector of [same, make()]) {
    const all: Rank[] = [];
    for (let pages = 0; pages < 100; pages++) {
      const hits = await assertExact(index, source, { vector, limit: 40, after: all.at(-1) });
      if (hits.length === 0) break;
      all.push(...hits);
    }
    assert.deepEqual(all, source.bruteForce({ vector, limit: 2000 }));
    assert.equal(all.length, 1500);
  }
});

Deno.test("after 10,000 random changes it is the same as one built anew", async () => {
  const dice = seeded(5);
  const make = vectorMaker(48, 5);
  const source = new MemorySource();
  await using grown = await indexOf(source, 48);
  for (let step = 0; step < 10_000; step++) {
    const id = 1 + Math.floor(dice() * 3000);
    const facets: Facets = {
      parentId: dice() < 0.5 ? null : 1 + Math.floor(dice() * 5),
      createDate: dice() < 0.2 ? null : Math.floor(dice() * 1000),
      isDeleted: dice() < 0.1,
    };
    const old = source.vectors.get(id);
    const kind = dice();
    if (kind < 0.3) {
      source.vectors.delete(id);
      grown.remove(id);
    } else if (old !== undefined && kind < 0.5) {
      source.add({ ...old, facets });
      grown.update(id, facets);
    } else {
      const row: IndexedVector = { id, vector: make(), facets };
      source.add(row);
      grown.put(row);
    }
    if (step % 2000 === 0) await assertExact(grown, source, { vector: make(), limit: 20 });
  }
  await using anew = await indexOf(source, 48);
  assert.equal(grown.size, anew.size);
  for (const vector of questions(source, 48)) {
    for (
      const filter of [
        {},
        { parentId: 3 },
        { parentId: null, includeDeleted: true },
        { createdFrom: 200, createdTo: 600 },
        { createdTo: 10, parentId: 2 },
        { parentId: 77 },
      ]
    ) {
      const question = { vector, limit: 30, filter, without: [1, 2, 3] };
      const hits = await assertExact(grown, source, question);
      assert.deepEqual((await anew.search(question)).hits, hits);
      const eligible = source.bruteForce({ vector, limit: 1e9, filter }).length;
      assert.equal((await grown.search(question)).eligible, eligible);
    }
  }
});

Deno.test("vectors that are nothing like those it has learned from are found all the same", async () => {
  const source = sourceOf(2000, 32);
  const dice = seeded(8);
  for (let id = 3000; id < 3100; id++) {
    // Far outside of what codes reach.
    const vector = Float32Array.from({ length: 32 }, () => 20 * (dice() - 0.5));
    source.add({ id, vector, facets: PLAIN });
  }
  await using index = await indexOf(source, 32);
  for (const vector of questions(source, 32)) {
    await assertExact(index, source, { vector, limit: 50 });
  }
});

Deno.test("what has gone is never found, also while it is searched and written at once", async () => {
  const make = vectorMaker(32, 11);
  const source = sourceOf(4000, 32, 11);
  await using index = await indexOf(source, 32, { threads: 2 });
  const dice = seeded(12);
  const gone = new Set<number>();
  let next = 10_000;
  const write = () => {
    for (let i = 0; i < 20; i++) {
      const id = [...source.vectors.keys()][Math.floor(dice() * source.vectors.size)]!;
      source.vectors.delete(id);
      index.remove(id);
      gone.add(id);
      const row = { id: next++, vector: make(), facets: PLAIN };
      source.add(row);
      index.put(row);
    }
  };
  for (let round = 0; round < 30; round++) {
    const before = new Set(gone);
    const answers = Array.from({ length: 3 }, () => index.search({ vector: make(), limit: 50 }));
    write();
    for (const { hits } of await Promise.all(answers)) {
      assert.equal(hits.length, 50);
      assert.ok(hits.every(({ id }) => !before.has(id)));
    }
  }
  await assertExact(index, source, { vector: make(), limit: 100 });
});

Deno.test("what is written while it is filled is newer than what is read for that", async () => {
  const make = vectorMaker(16, 21);
  const source = sourceOf(5000, 16, 21);
  const begun: { index?: FlatIndex } = {};
  const changes: (() => void)[] = [
    () => {
      const row = { id: 4500, vector: make(), facets: PLAIN };
      source.add(row);
      begun.index!.put(row);
    },
    () => {
      source.vectors.delete(10);
      begun.index!.remove(10);
    },
    () => {
      const facets = { ...PLAIN, isDeleted: true };
      source.add({ ...source.vectors.get(4000)!, facets });
      begun.index!.update(4000, facets);
    },
  ];
  // Each comes between the reading of a chunk and its writing.
  const after = source.after.bind(source);
  source.after = async (id, limit) => {
    const rows = await after(id, limit);
    if (begun.index !== undefined) changes.shift()?.();
    return rows;
  };
  const { index, filled } = FlatIndex.begin({ source, dimension: 16 });
  begun.index = index;
  await filled;
  await using _ = index;
  assert.deepEqual(changes, []);
  for (const vector of [make(), source.vectors.get(4500)!.vector, make()]) {
    await assertExact(index, source, { vector, limit: 5000 });
  }
});

Deno.test("filling can be broken off, and a dimension that can't be is refused", async () => {
  const source = sourceOf(5000, 8);
  const reasons = new AbortController();
  const sizes: number[] = [];
  await assert.rejects(
    indexOf(source, 8, {
      signal: reasons.signal,
      onProgress: (size) => {
        sizes.push(size);
        if (size >= 2000) reasons.abort();
      },
    }),
    { name: "AbortError" },
  );
  assert.deepEqual(sizes, [1000, 2000]);
  for (const dimension of [0, 2049]) {
    await assert.rejects(indexOf(new MemorySource(), dimension), RangeError);
  }
});

Deno.test("mean and deviation are those of all that the filter leaves", async () => {
  const source = sourceOf(2000, 64);
  await using index = await indexOf(source, 64);
  const [vector] = questions(source, 64);
  const scores = source.bruteForce({ vector: vector!, limit: 2000 }).map(({ score }) => score);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length;
  const answer = await index.search({ vector: vector!, limit: 1 });
  assert.equal(answer.eligible, 2000);
  assert.ok(Math.abs(answer.mean - mean) < 1e-3, `${answer.mean} for ${mean}`);
  assert.ok(Math.abs(answer.deviation - Math.sqrt(variance)) < 1e-3);
});
