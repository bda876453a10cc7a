/**
 * `deno task backup DIR`.
 *
 * @module
 */
import { systemWords } from "@fovea/process/file_error";
import { commonSettings, readSettings } from "@fovea/process/settings";
import { parseArgs } from "node:util";
import { backUp } from "./back_up.ts";

const HELP = `Usage: ./fovea backup DIR

Copies all that the services keep in DATA_DIR, as it is at this moment, into DIR, which is empty or
new. The services may be running. To restore, start all services with DATA_DIR=DIR.

On the same disk pictures are linked, which takes no room; on another one they are copied.

Exit code: 0 done; 1 it can't be done, or pictures are missing; 2 wrong usage.`;

function targetOf(args: string[]): string | undefined {
  const { values, positionals } = parseArgs({
    args,
    options: { help: { type: "boolean" } },
    allowPositionals: true,
  });
  if (values.help) return undefined;
  const [target, ...more] = positionals;
  if (target === undefined || target === "" || more.length > 0) {
    throw new Error("name one folder for the backup");
  }
  return target;
}

async function run(target: string): Promise<number> {
  const settings = readSettings(commonSettings.pick({ DATA_DIR: true }), Deno.env);
  const { mediaStore, inference } = await backUp(settings.DATA_DIR, target);
  for (const { path, entityId } of mediaStore?.lost ?? []) {
    console.log(`missing: ${path} is not there: entity ${entityId} needs it`);
  }
  const parts = [
    ...mediaStore === null
      ? []
      : [`${mediaStore.files} files, ${(mediaStore.bytes / 1e6).toFixed(1)} MB`],
    ...inference ? ["jobs and vectors"] : [],
  ];
  console.log(`backed up ${parts.join(", ")}, into ${target}`);
  return mediaStore === null || mediaStore.lost.length === 0 ? 0 : 1;
}

let target: string | undefined;
try {
  target = targetOf(Deno.args);
} catch (error) {
  console.error(`Cannot do that: ${(error as Error).message}\n\n${HELP}`);
  Deno.exit(2);
}
if (target === undefined) {
  console.log(HELP);
  Deno.exit(0);
}
try {
  Deno.exitCode = await run(target);
} catch (error) {
  const reason = systemWords(error);
  console.error(`Cannot back up: ${reason}`);
  Deno.exitCode = 1;
}
