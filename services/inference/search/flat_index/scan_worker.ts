/**
 * A thread of an index, see scanner.ts: it is set up by its first message, and answers each that
 * follows.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import type { ScanSetup, ScanThreadRequest } from "./messages.ts";
import { Scanner } from "./scanner.ts";

let scanner: Scanner | undefined;

self.onmessage = ({ data }: MessageEvent<ScanSetup | ScanThreadRequest>) => {
  if (!("kind" in data)) {
    scanner = new Scanner(data);
    return;
  }
  const reply = data.kind === "scan" ? scanner!.scan(data) : scanner!.range(data);
  self.postMessage(reply, [reply.slots.buffer, reply.scores.buffer]);
};
