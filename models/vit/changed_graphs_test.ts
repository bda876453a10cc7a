import assert from "node:assert/strict";
import { readModel } from "./onnx/read_model.ts";
import { towerOf } from "./read_tower.ts";
import { changesTo } from "./testing/changed_graphs.ts";
import {
  EXPORTED_TOWERS,
  exportedTower,
  goldenPictures,
  largestDifference,
} from "./testing/exported_towers.ts";
import { graphFile } from "./testing/graph_file.ts";
import { embedPlainly } from "./testing/reference.ts";
import { openRuntime } from "./testing/runtime.ts";
import type { ImageTower } from "./tower.ts";
import { UnsupportedModel } from "./unsupported_model.ts";

/** One change in so many is tried. To try all takes minutes, and was done once. */
const STRIDE = 37;

function towerOrNone(read: () => ImageTower): ImageTower | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnsupportedModel) return null;
    throw error;
  }
}

for (const name of ["separate_13_folded_gelu", "separate_17_unfolded", "fused_14_folded_fixed"]) {
  Deno.test(`${name}, changed anywhere, is refused or read as what it computes then`, async () => {
    const file = exportedTower(name);
    const pictures = goldenPictures(2, EXPORTED_TOWERS[name]!.shape.imageSize);
    const counts = { refused: 0, read: 0 };
    const changes = changesTo(readModel(file.slice()));
    for (let i = 0; i < changes.length; i += STRIDE) {
      const { what, apply } = changes[i]!;
      const model = readModel(file.slice());
      apply(model);
      const tower = towerOrNone(() => towerOf(model));
      if (tower === null) counts.refused++;
      else {
        await using runtime = await openRuntime(graphFile(model));
        for (const [n, embedding] of (await runtime.embed(pictures)).entries()) {
          const difference = largestDifference(embedPlainly(tower, pictures[n]!), embedding);
          assert.ok(difference < 1e-5, `${what}, and is read wrongly: ${difference}`);
        }
        counts.read++;
      }
    }
    assert.ok(counts.refused > 30 && counts.read > 1, JSON.stringify(counts));
  });
}
