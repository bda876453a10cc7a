/**
 * A worker that does what a real one should not, by the entity's id: 1 nothing wrong, 2 computes for
 * ever, 3 dies, 4 grows by 1 GB, 11 by 100 MB, 5 does nothing until it is cancelled; 6 answers the next canary wrongly,
 * 7 never; 8 takes half a second; 9 and 10 are done, and then it dies or closes itself while it has
 * nothing to do. A model named "endless" it loads for ever, one named "slow" for half a second.
 *
 * @module
 */
import assert from "node:assert/strict";
import "../workers/no_silent_exit.ts";
import type { Cancel, Order, Outcome, Report } from "../workers/messages.ts";
import { interruptible, limitWork } from "@fovea/process/interruptible";
import { KNOWN_ANSWERS } from "./known_answers.ts";

const thread = self as unknown as {
  onmessage: (message: MessageEvent<Order | Cancel>) => void;
  postMessage(report: Report): void;
};

const timingsMs = { fetch: 0, decode: 0, infer: 0 };
const sha256 = "0".repeat(64);
const result = { faces: [], face_count: 0, image_width: 8, image_height: 8 };
const ended = (outcome: Outcome, growth = 0) =>
  thread.postMessage({ kind: "ended", outcome, growth });
const GROWTH: Record<number, number> = { 4: 1e9, 11: 1e8 };
const computeForEver = () =>
  interruptible(() => {
    while (true);
  });
let last = 0;

thread.onmessage = ({ data: order }) => {
  switch (order.kind) {
    case "start":
      limitWork(order.limitMs);
      return thread.postMessage({ kind: "started" });
    case "load":
      if (order.model.name === "endless") computeForEver();
      for (const from = performance.now(); order.model.name === "slow";) {
        if (performance.now() > from + 500) break;
      }
      return thread.postMessage({ kind: "loaded" });
    case "cancel":
      return ended({ ok: false, sha256: null, code: "cancelled", detail: "stopped", timingsMs });
    case "canary": {
      if (last === 7) return;
      const answer = last === 6 ? result : KNOWN_ANSWERS[order.task]!;
      return thread.postMessage({ kind: "canary_answer", answer });
    }
  }
  last = order.job.entityId;
  if (last === 2) computeForEver();
  if (last === 3) throw new Error("out of luck");
  const done = () => ended({ ok: true, sha256, result, timingsMs }, GROWTH[last]);
  if (last === 8) setTimeout(done, 500);
  else if (last !== 5) done();
  if (last === 9) setTimeout(() => assert.fail("out of luck"), 50);
  if (last === 10) setTimeout(() => self.close(), 50);
};
