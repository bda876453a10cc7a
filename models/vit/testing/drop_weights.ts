/**
 * A process that makes room for the weights of ViT-B/32 again and again, posts them to a thread that
 * is ended, and drops them. Prints the memory it has in the end, bytes.
 *
 * @module
 */
import { within } from "@fovea/testing/until";
import { allotWeights, WEIGHTS_START } from "../weights.ts";
import { SMALL } from "./random_tower.ts";

const SHAPE = { ...SMALL, width: 768, heads: 12, layers: 12, mlp: 3072 };

/** There with V8's `--expose-gc`. */
declare const gc: () => void;

const thread = "self.onmessage = ({ data }) => self.postMessage(data.memory.buffer.byteLength)";

for (let i = 0; i < 6; i++) {
  const weights = await allotWeights(SHAPE, "int8", {});
  new Uint8Array(weights.memory.buffer, WEIGHTS_START).fill(1);
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(thread)}`, {
    type: "module",
  });
  const seen = new Promise((resolve) => worker.onmessage = resolve);
  worker.postMessage(weights);
  await within("the thread's answer", seen);
  worker.terminate();
}
// A thread that was ended takes a moment to be gone.
for (let i = 0; i < 10; i++) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  gc();
}
console.log(Deno.memoryUsage().rss);
