/**
 * Settings come from environment variables, are checked all at once by one schema, and every wrong
 * one is named before the service ends.
 *
 * @module
 */
import { z } from "zod";
import { expectation } from "./expectation.ts";
import { withoutSecrets } from "./public_address.ts";
import { SettingsError } from "./settings_error.ts";

export { SettingsError };

/** A TCP port; 0 lets the system choose one. */
export const port = z.coerce.number().int().min(0).max(65535);

/** `true`, `1`, `yes` or `false`, `0`, `no`. */
export const flag = z.stringbool({
  truthy: ["true", "1", "yes"],
  falsy: ["false", "0", "no"],
});

/** A whole number of at least `min`. */
export const count = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z.coerce.number().int().min(min).max(max);

/** The longest time that a timer can take, 24 days: one that is set to more goes off at once. */
export const MAX_TIMER_SECONDS = Math.floor((2 ** 31 - 1) / 1000);

const listOf = (text: string) =>
  text.split(",").map((part) => part.trim()).filter((part) => part !== "");

/** Host names, in small letters, from a comma-separated list. */
const hostNames = z.string()
  .transform((text) => listOf(text.toLowerCase()))
  .refine((names) => names.every(isHostName), {
    error: "host names without scheme and port are expected, with commas between them, such as " +
      "fovea.example,nas.local",
  });

function isHostName(name: string): boolean {
  return URL.parse(`http://${name}`)?.href === `http://${name}/` && !/:\d+$/.test(name);
}

/** Origins as browsers write them, from a comma-separated list. */
const origins = z.string()
  .transform((text) => listOf(text).map((part) => part.toLowerCase()))
  .refine((list) => list.every(isOrigin), {
    error: "origins are expected, with commas between them, such as " +
      "https://gallery.example,http://localhost:3000",
  });

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.parse(text)?.origin === text;
}

/** A path of plain segments, without the slash at its end. */
const basePath = z.string()
  .regex(/^(\/[\w.~-]+)*\/?$/, "a path is expected, such as /fovea")
  .transform((path) => path.replace(/\/$/, ""));

const MIB = 1024 * 1024;

/** Settings that both services have. */
export const commonSettings = z.object({
  DATA_DIR: z.string().min(1).default("./data"),
  MAX_UPLOAD_BYTES: count(1).default(50 * MIB),
  MAX_IMAGE_PIXELS: count(1).default(50_000_000),
  /** HTTP connections at a time. The start script says what the limit of open files allows. */
  MAX_CONNECTIONS: count(1, 100_000).default(1000),
  /** PEM files: with both the service speaks TLS itself. */
  TLS_CERT_FILE: z.string().min(1).optional(),
  TLS_KEY_FILE: z.string().min(1).optional(),
  /** Under which a reverse proxy is called that takes it away; "" where there is none. */
  BASE_PATH: basePath.default(""),
  AUTH_MODE: z.enum(["test", "jwt"]).default("test"),
  /** Default: `public_key.pem` in DATA_DIR. */
  PUBLIC_KEY_PATH: z.string().min(1).optional(),
  READ_AUTH_ENABLED: flag.default(false),
  /** What a token's `iss` and `aud` must be; unset: they are not looked at. */
  JWT_ISSUER: z.string().min(1).optional(),
  JWT_AUDIENCE: z.string().min(1).optional(),
  /** A token that ends later than so many days from now is refused. */
  JWT_MAX_DAYS: count(1).default(366),
  ALLOW_INSECURE: flag.default(false),
  /** Names beyond loopback under which a service may be called. */
  ALLOWED_HOSTS: hostNames.default([]),
  /** Of pages elsewhere that may call. */
  ALLOWED_ORIGINS: origins.default([]),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  /** Default: pretty on a terminal, else json. */
  LOG_FORMAT: z.enum(["pretty", "json"]).optional(),
});
export type CommonSettings = z.output<typeof commonSettings>;

/**
 * Reads the variables that the schema names; an empty one counts as unset.
 *
 * @throws {SettingsError} naming every wrong variable, what it was and what is expected
 */
export function readSettings<Schema extends z.ZodObject>(
  schema: Schema,
  env: { get(name: string): string | undefined },
): z.output<Schema> {
  const values: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = env.get(name);
    if (value !== undefined && value !== "") values[name] = value;
  }
  const read = schema.safeParse(values, { error: expectation });
  if (read.success) return read.data;
  const lines = read.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? "");
    const got = name in values ? ` is "${withoutSecrets(values[name]!)}"` : "";
    return `  ${name}${got}: ${issue.message}`;
  });
  throw new SettingsError(`Cannot start: wrong settings\n${lines.join("\n")}`);
}

/** Whether only this machine can reach a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}

/** Refuses to open a service without authentication to other machines by oversight. */
export function refuseInsecure(
  settings: Pick<CommonSettings, "AUTH_MODE" | "ALLOW_INSECURE">,
  hosts: Record<string, string>,
): void {
  if (settings.AUTH_MODE !== "test" || settings.ALLOW_INSECURE) return;
  for (const [name, host] of Object.entries(hosts)) {
    if (isLoopback(host)) continue;
    throw new SettingsError(
      `Cannot start: ${name} is "${host}", which other machines can reach, and AUTH_MODE=test lets ` +
        `everybody in: set AUTH_MODE=jwt, listen on 127.0.0.1, or set ALLOW_INSECURE=true`,
    );
  }
}
