/**
 * The user's npm settings, read as npm reads them: registries, their tokens, proxies, certificates,
 * from `.npmrc` files and `npm_config_…` variables.
 *
 * @module
 */

/** What of npm's own reader is used here; the package has no types. */
interface Config {
  load(): Promise<void>;
  /** The settings under the names that npm's libraries know. */
  readonly flat: Record<string, unknown>;
}
type ConfigClass = new (options: Record<string, unknown>) => Config;

export async function npmSettings(): Promise<Record<string, unknown>> {
  const { default: Config } = await import("@npmcli/config") as { default: ConfigClass };
  const { default: definitions } = await import("@npmcli/config/definitions") as {
    default: Record<"definitions" | "shorthands" | "flatten", unknown>;
  };
  const config = new Config({
    ...definitions,
    // Where npm is installed, for settings that come with it: there is none here.
    npmPath: import.meta.dirname,
    argv: [],
    cwd: Deno.cwd(),
    // A copy: the reader writes into it.
    env: Deno.env.toObject(),
  });
  await config.load();
  return config.flat;
}
