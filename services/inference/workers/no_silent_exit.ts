/**
 * A thread that closes itself, as libraries made for a process of their own do when they give up,
 * ends without a word to those who wait for it. Here it throws instead, which is heard at once. To be
 * imported by what a worker runs.
 *
 * @module
 */
import process from "node:process";

function refuse(call: string): () => never {
  return () => {
    throw new Error(`${call} was called: this thread ends only when it is told to`);
  };
}

self.close = refuse("close");
Deno.exit = refuse("Deno.exit");
process.exit = refuse("process.exit");
