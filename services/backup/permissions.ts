import { ownFiles, type Permissions } from "@fovea/process/permissions";

/** Of a backup: it reads and writes DATA_DIR and its target, and calls nobody. See [note: narrowed]. */
export function backupPermissions(
  env: { get(name: string): string | undefined },
  args: string[],
): Permissions {
  const folders = [env.get("DATA_DIR"), ...args.filter((arg) => !arg.startsWith("-"))]
    .filter((folder) => folder !== undefined && folder !== "") as string[];
  // Pictures are linked, for which Deno asks that they may be written, too.
  return { env: ["DATA_DIR"], read: [...ownFiles(), ...folders], write: folders, net: [], sys: [] };
}
