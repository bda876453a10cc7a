/**
 * Fovea's services as real processes: started as the tasks start them, so that tests run with the
 * services' permissions and nothing more.
 *
 * @module
 */
import { Child } from "./child.ts";
import { endOf, type ProgramEnd } from "./program_end.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/**
 * `empty_inference` is inference with workers that have nothing to do for a job,
 * `further_task_inference` has a task more.
 */
export type ServiceName =
  | "media_store"
  | "inference"
  | "empty_inference"
  | "further_task_inference";

/** A line of a service's log: the members it always has, and those of its own. */
export interface LogLine {
  level: string;
  msg: string;
  [member: string]: unknown;
}

/** A running service. Disposing of it ends it and removes its temporary DATA_DIR. */
export interface ServiceProcess extends AsyncDisposable {
  /** Where it listens: `http://127.0.0.1:NNN`. */
  readonly url: string;
  readonly dataDir: string;
  readonly pid: number;
  /** What it has logged so far. */
  log(): LogLine[];
  /** Sends a signal and waits for the process to end. */
  kill(signal: Deno.Signal): Promise<Deno.CommandStatus>;
}

const ROOT = new URL("../../../", import.meta.url);
const START = "services/start/main.ts";
const START_IN_PLACE = "services/start/testing/start_in_place.ts";

/** What is run to start each. */
const STARTS: Record<ServiceName, string[]> = {
  media_store: [START, "media-store"],
  inference: [START, "inference"],
  empty_inference: inPlaceOfInference("empty_inference.ts"),
  further_task_inference: inPlaceOfInference("further_task_inference.ts"),
};

function inPlaceOfInference(program: string): string[] {
  return [START_IN_PLACE, "inference", `services/inference/testing/${program}`];
}

/** What a process needs of this one's environment to run Deno at all; settings are not among it. */
const INHERITED =
  /^(PATH|HOME|TMPDIR|LANG|(DENO|XDG|NPM_CONFIG|SSL_CERT)_\w+|\w+_PROXY|NODE_EXTRA_CA_CERTS)$/i;

/**
 * Starts a service on free ports and waits until it listens.
 *
 * @param env settings; of this process's environment the service sees none. DATA_DIR defaults to a
 * temporary folder that goes when the service does; one that is given stays.
 * @param openFiles the system's limit of open files, as `ulimit -n` sets it; default: as it is here
 * @throws {Error} with what the service wrote, where it ends before it listens
 */
export async function startService(
  name: ServiceName,
  env: Record<string, string> = {},
  { openFiles }: { openFiles?: number } = {},
): Promise<ServiceProcess> {
  await using cleanup = new AsyncDisposableStack();
  const dataDir = env.DATA_DIR ?? cleanup.use(await temporaryFolder()).path;
  const { program, options } = command(name, { ...env, DATA_DIR: dataDir });
  const child = cleanup.use(
    openFiles === undefined ? new Child(program, options) : new Child("sh", {
      ...options,
      args: ["-c", `ulimit -n ${openFiles} && exec "$0" "$@"`, program, ...options.args ?? []],
    }),
  );
  const url = await child.first((line) => {
    const fact = parseLogLine(line);
    return fact?.msg === "listening" ? String(fact.url) : undefined;
  });
  const owned = cleanup.move();
  return {
    url,
    dataDir,
    pid: child.pid,
    log: () => child.lines.map(parseLogLine).filter((line) => line !== undefined),
    kill: (signal) => child.kill(signal),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Runs a service that is expected to end by itself, as with wrong settings. */
export async function runServiceToEnd(
  name: ServiceName,
  env: Record<string, string> = {},
): Promise<ProgramEnd> {
  await using folder = await temporaryFolder();
  const { program, options } = command(name, { DATA_DIR: folder.path, ...env });
  return await endOf(program, options);
}

function command(
  name: ServiceName,
  settings: Record<string, string>,
): { program: string; options: Deno.CommandOptions } {
  const inherited = Object.entries(Deno.env.toObject()).filter(([key]) => INHERITED.test(key));
  return {
    program: Deno.execPath(),
    options: {
      args: ["run", "--no-prompt", "--allow-env", "--allow-read", "--allow-ffi", ...STARTS[name]],
      cwd: ROOT,
      clearEnv: true,
      env: {
        ...Object.fromEntries(inherited),
        MEDIA_STORE_PORT: "0",
        INFERENCE_PORT: "0",
        MQTT_PORT: "0",
        LOG_FORMAT: "json",
        ...settings,
      },
    },
  };
}

function parseLogLine(line: string): LogLine | undefined {
  // Deno itself writes to stderr too, and not in JSON.
  return line.startsWith("{") ? JSON.parse(line) : undefined;
}
