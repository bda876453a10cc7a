/**
 * What a program may do, in the words of Deno's permissions.
 *
 * [note: narrowed] A service gets no more than its settings name. They are read before it starts,
 * and Deno is given the flags that follow from them, since a running process can't narrow "all" to
 * "some".
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** An empty list allows nothing. Paths are absolute, or relative to the working directory. */
export interface Permissions {
  /** Names of variables; all others read as unset. */
  env: string[];
  /** Files and folders, with all that is in them; `all` for what can't know them beforehand. */
  read: string[] | "all";
  write: string[];
  /** `host:port`, to listen on or to connect to; `all` for what must reach any host. */
  net: string[] | "all";
  sys: string[];
  /** Programs. */
  run?: string[];
  /** Native libraries, or folders of them. */
  ffi?: string[];
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * What every service reads of itself: its own program, and its npm packages. The project's folder
 * itself is not among it: by default what the services keep lies there.
 */
export function ownFiles(): string[] {
  const url = import.meta.resolve("zod");
  return [
    ...["services", "models"].map((folder) => `${ROOT}${folder}`),
    fileURLToPath(url.slice(0, url.lastIndexOf("/zod/"))),
  ];
}

/**
 * Of a thread that computes: it reads some files and its own program, writes nothing, runs nothing,
 * calls nobody, and learns nothing of the environment.
 */
export function threadPermissions(read: string[] = []): Deno.PermissionOptionsObject {
  return {
    read: [...ownFiles(), ...read],
    write: false,
    net: false,
    env: false,
    run: false,
    sys: false,
    ffi: false,
    import: false,
  };
}

/** Files that settings name, by the ends of their names: keys and certificates. */
export function namedFiles(settings: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(settings)
    .filter(([name]) => /_(FILE|KEY_PATH)$/.test(name))
    .map(([, value]) => value)
    .filter((value) => typeof value === "string");
}

/** `host:port` of a URL, as Deno compares it. */
export function endpointOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${hostname}:${port || PORTS[protocol]}`;
}

/** `host:port` of a listener. */
export function listenerOf(hostname: string, port: number): string {
  return `${
    hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname
  }:${port}`;
}

const PORTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "ws:": 80,
  "wss:": 443,
  "mqtt:": 1883,
  "mqtts:": 8883,
};

/** The flags of `deno run` that allow this and nothing else. */
export function permissionFlags(permissions: Permissions): string[] {
  const flags = ["--no-prompt", "--ignore-env"];
  for (const [kind, names] of Object.entries(permissions) as [string, string[] | "all"][]) {
    if (names === "all") flags.push(`--allow-${kind}`);
    else if (names.length > 0) {
      // A comma in a path is written twice: one alone parts two paths.
      flags.push(`--allow-${kind}=${names.map((name) => name.replaceAll(",", ",,"))}`);
    }
  }
  return flags;
}
