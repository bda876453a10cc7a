/**
 * Debian's mosquitto as the outside broker that MQTT_URL may name.
 *
 * @module
 */
import type { Certificates } from "./certificates.ts";
import { Child } from "./child.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** A broker that anybody on this machine can use. Disposing of it ends it. */
export interface MosquittoProcess extends AsyncDisposable {
  /** `mqtt://127.0.0.1:NNN`, the same after a restart; `mqtts://…` where it speaks TLS. */
  readonly url: string;
  readonly port: number;
  /** Ends the broker, which forgets all it held. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
}

/** The broker's program, where there is one. Debian puts it outside an ordinary user's PATH. */
export function findMosquitto(): string | undefined {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => `${folder}/mosquitto`).find(isFile);
}

/** Lines of mosquitto.conf with which it speaks TLS. */
export function overTls({ ca, server }: Certificates): string[] {
  return [`cafile ${ca}`, `certfile ${server.cert}`, `keyfile ${server.key}`];
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * Starts mosquitto on a free port of 127.0.0.1 and waits until it takes connections.
 *
 * @param config further lines of mosquitto.conf; the last of two that contradict each other holds.
 *   With `cafile` among them it speaks TLS
 * @throws {Error} with what it wrote, where it can't start
 */
export async function startMosquitto(config: string[] = []): Promise<MosquittoProcess> {
  const program = findMosquitto();
  if (program === undefined) throw new Error("Cannot start mosquitto: it is not installed");
  const port = freePort();
  const folder = await temporaryFolder();
  const file = `${folder.path}/mosquitto.conf`;
  const lines = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "log_dest stderr",
    // Started by root, it would else become a user who can't read the temporary folder.
    "user root",
    ...config,
  ];
  await Deno.writeTextFile(file, lines.join("\n") + "\n");

  let child: Child | undefined;
  const start = async () => {
    child = new Child(program, { args: ["-c", file] });
    await child.first((line) => line.includes("running") ? true : undefined);
  };
  const stop = async () => {
    await child?.[Symbol.asyncDispose]();
  };
  const dispose = async () => {
    await stop();
    await folder[Symbol.asyncDispose]();
  };
  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  const scheme = config.some((line) => line.startsWith("cafile ")) ? "mqtts" : "mqtt";
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    start,
    stop,
    [Symbol.asyncDispose]: dispose,
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
