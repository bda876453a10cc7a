import { listenerOf, namedFiles, ownFiles, type Permissions } from "@fovea/process/permissions";
import { readSettings } from "@fovea/process/settings";
import { parseArgs } from "node:util";
import { mediaStoreSettings } from "./settings.ts";

/**
 * What media_store may do with these settings and options. See [note: narrowed].
 *
 * @throws {SettingsError} naming everything that is wrong
 */
export function mediaStorePermissions(
  env: { get(name: string): string | undefined },
  args: string[],
): Permissions {
  const settings = readSettings(mediaStoreSettings, env);
  const { values } = parseArgs({ args, options: { backup: { type: "string" } }, strict: false });
  const target = typeof values.backup === "string" && values.backup !== "" ? [values.backup] : [];
  const serves = args.length === 0;
  return {
    env: Object.keys(mediaStoreSettings.shape),
    read: [...ownFiles(), settings.DATA_DIR, ...namedFiles(settings), ...target],
    write: [`${settings.DATA_DIR}/media_store`, ...target],
    net: serves ? [listenerOf(settings.MEDIA_STORE_HOST, settings.MEDIA_STORE_PORT)] : [],
    sys: ["hostname", "statfs"],
  };
}
