/**
 * face-client against a stand-in for the services.
 *
 * @module
 */
import { runClient } from "./client_process.ts";
import type { StandIn } from "./stand_in.ts";

/** The path of a picture with one face. */
export const PICTURE = new URL("../images/astronaut.png", import.meta.url).pathname;

/** Runs face-client, by default on {@link PICTURE}. */
export function faces(
  standIn: StandIn,
  args: string[] = [PICTURE],
  env: Record<string, string> = {},
) {
  const where = ["--media-store", standIn.address, "--inference", standIn.address];
  return runClient("face-client", [...where, ...args], env);
}
