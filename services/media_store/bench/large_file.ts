/**
 * One large file on its way in and out: the time it takes beside the least that it can cost, and the
 * memory that the service takes for it.
 *
 * @module
 */
import { median } from "@fovea/bench/table";
import type { Item } from "@fovea/contract";
import { startService, temporaryFolder } from "@fovea/testing";
import { Child } from "@fovea/testing/child";
import { add, download, forget, noisePicture, send, timed } from "./client.ts";

const MB = 1_000_000;
export const LARGE_BYTES = 200 * MB;
const WARM_UP_BYTES = 100_000;

export interface LargeFile {
  /** Medians. */
  ms: { upload: number; bareUpload: number; download: number };
  /** How many bytes the service's memory grew by at most, in any round. */
  growth: { upload: number; download: number };
}

/** @param rounds of an upload to either and a download */
export async function measureLargeFile(rounds = 5): Promise<LargeFile> {
  await using folder = await temporaryFolder();
  await using bare = startBareReceiver(folder.path);
  await using service = await startService("media_store", {
    MAX_UPLOAD_BYTES: `${2 * LARGE_BYTES}`,
  });
  const bareUrl = await bare.first((line) => line.startsWith("http:") ? line : undefined);
  // Loads what both need, so that neither pays for it in the first round.
  const small = noisePicture(0, WARM_UP_BYTES);
  await send(bareUrl, small);
  await forget(service, await add(service, small));

  const memory = await watchMemory(service.pid);
  const ms = { upload: [] as number[], bareUpload: [] as number[], download: [] as number[] };
  const growth = { upload: 0, download: 0 };
  for (let round = 1; round <= rounds; round++) {
    const image = noisePicture(round, LARGE_BYTES);
    ms.bareUpload.push(await timed(() => send(bareUrl, image)));
    let item: Item | undefined;
    await memory.restart();
    ms.upload.push(await timed(async () => item = await add(service, image)));
    growth.upload = Math.max(growth.upload, await memory.growth());
    await memory.restart();
    ms.download.push(await timed(() => download(service, item!)));
    growth.download = Math.max(growth.download, await memory.growth());
    await forget(service, item!);
  }
  return {
    ms: {
      upload: median(ms.upload),
      bareUpload: median(ms.bareUpload),
      download: median(ms.download),
    },
    growth,
  };
}

function startBareReceiver(folder: string): Child {
  const script = new URL("bare_receiver.ts", import.meta.url).pathname;
  return new Child(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "--allow-read", "--allow-write", script, folder],
  });
}

/** How much more memory a process comes to hold than it held at a moment, bytes (proc(5)). */
async function watchMemory(pid: number) {
  const held = async (what: string) => {
    const status = await shell(`cat /proc/${pid}/status`);
    return Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(status)![1]) * 1024;
  };
  let before = await held("VmRSS");
  return {
    async restart() {
      // The peak is set back to what is held now.
      await shell(`echo 5 > /proc/${pid}/clear_refs`);
      before = await held("VmRSS");
    },
    growth: async () => await held("VmHWM") - before,
  };
}

/** Deno itself opens nothing in /proc unless everything is allowed. */
async function shell(command: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", command] }).output();
  return new TextDecoder().decode(stdout);
}
