export type ClientName = "embed-client" | "face-client";

/**
 * What a client may do, baked into its binary: talk to any host the user names, read any picture the
 * user names, and read two variables. All other variables are hidden from its libraries.
 * Only face-client writes files.
 */
export function permissionsOf(client: ClientName): string[] {
  return [
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    ...(client === "face-client" ? ["--allow-write"] : []),
    "--allow-env=FOVEA_TOKEN,FOVEA_TOKEN_FILE",
    "--ignore-env",
  ];
}
