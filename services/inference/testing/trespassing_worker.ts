/**
 * A worker that tries what no worker may: the detail of each job's outcome says how each try ended,
 * as JSON.
 *
 * @module
 */
import type { Cancel, Order, Report } from "../workers/messages.ts";

const thread = self as unknown as {
  onmessage: (message: MessageEvent<Order | Cancel>) => void;
  postMessage(report: Report): void;
};

let mediaStore = "";

const TRIES: Record<string, () => unknown> = {
  "write a file": () => Deno.writeTextFile(`${Deno.cwd()}/trespassed`, ""),
  "write a temporary file": () => Deno.makeTempFile(),
  "read the host's users": () => Deno.readTextFile("/etc/passwd"),
  "read a variable": () => Deno.env.get("FOVEA_TOKEN"),
  "run a program": () => new Deno.Command("true").output(),
  "ask who runs it": () => Deno.uid(),
  // Not a port that fetch refuses to everybody.
  "call another host": () => fetch("http://127.0.0.1:10000/"),
  "listen": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  "load a library": () => Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {}),
  "call media_store": async () => await (await fetch(mediaStore)).body?.cancel(),
  "read its own files": () => Deno.readTextFile(new URL(import.meta.url)),
};

async function outcomes(): Promise<Record<string, string>> {
  const ended: Record<string, string> = {};
  for (const [what, attempt] of Object.entries(TRIES)) {
    try {
      await attempt();
      ended[what] = "done";
    } catch (error) {
      ended[what] = (error as Error).name;
    }
  }
  return ended;
}

thread.onmessage = async ({ data: order }) => {
  if (order.kind === "start") {
    mediaStore = order.settings.source.url;
    return thread.postMessage({ kind: "started" });
  }
  if (order.kind !== "run") throw new Error(`nobody asked for "${order.kind}"`);
  thread.postMessage({
    kind: "ended",
    outcome: {
      ok: false,
      sha256: null,
      code: "internal_error",
      detail: JSON.stringify(await outcomes()),
      timingsMs: { fetch: 0, decode: 0, infer: 0 },
    },
    growth: 0,
  });
};
