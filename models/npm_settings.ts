/**
 * The user's npm settings, from where npm reads them: `npm_config_…` variables, then the `.npmrc` of
 * the project, of the user and of the machine.
 *
 * npm's own reader, with its fetcher, would bring some ninety packages for two files; this one brings
 * `ini`. Of npm's installation it knows nothing: the machine's settings are looked for where npm lies
 * as a rule, unless `globalconfig` or `prefix` says where.
 *
 * @module
 */
import { parse } from "ini";
import { dirname, join } from "node:path";

/** By npm's names, such as `registry`, `@scope:registry`, `//host/:_authToken`. */
export type NpmSettings = Readonly<Record<string, string | readonly string[] | undefined>>;

const MACHINE_FILES = ["/usr/local/etc/npmrc", "/usr/etc/npmrc", "/etc/npmrc"];

/** @param env where variables are, also those that settings name as `${NAME}` */
export function readNpmSettings(
  env: Readonly<Record<string, string>> = Deno.env.toObject(),
): NpmSettings {
  const fromEnv = settingsIn(env);
  const home = env.HOME ?? "/";
  const userFile = String(fromEnv.userconfig ?? join(home, ".npmrc"));
  const projectFile = join(projectFolder(Deno.cwd()), ".npmrc");
  const user = readFile(userFile, env, home);
  const project = projectFile === userFile ? {} : readFile(projectFile, env, home);
  // A project's file comes with the project, and must not choose whose files are trusted.
  const trusted = { ...user, ...fromEnv };
  const machineFiles = trusted.globalconfig !== undefined
    ? [String(trusted.globalconfig)]
    : trusted.prefix !== undefined
    ? [join(String(trusted.prefix), "etc/npmrc")]
    : MACHINE_FILES;
  const machine = machineFiles.toReversed().map((file) => readFile(file, env, home));
  return Object.assign({}, ...machine, user, project, fromEnv);
}

function settingsIn(env: Readonly<Record<string, string>>): NpmSettings {
  const settings: Record<string, string> = {};
  for (const [variable, value] of Object.entries(env)) {
    if (!/^npm_config_/i.test(variable) || value === "") continue;
    const name = variable.slice("npm_config_".length);
    settings[name.startsWith("//") ? name : name.replace(/(?!^)_/g, "-").toLowerCase()] = value;
  }
  return settings;
}

/** The nearest folder that npm takes for a project's, else the one it is asked in. */
function projectFolder(start: string): string {
  for (let folder = start;; folder = dirname(folder)) {
    if (isThere(join(folder, "package.json")) || isThere(join(folder, "node_modules"))) {
      return folder;
    }
    if (folder === dirname(folder)) return start;
  }
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    // What can't be looked at is no project either.
    return false;
  }
}

function readFile(path: string, env: Readonly<Record<string, string>>, home: string): NpmSettings {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    const { NotFound, IsADirectory, NotADirectory } = Deno.errors;
    const passed = [NotFound, IsADirectory, NotADirectory];
    if (passed.some((kind) => error instanceof kind)) return {};
    throw new Error(`npm settings can't be read: ${path}`, { cause: error });
  }
  const said = (value: unknown) => expand(String(value), env).replace(/^~\//, `${home}/`);
  const settings = Object.entries(parse(text)).map(([name, value]) => [
    expand(name, env),
    Array.isArray(value) ? value.map(said) : said(value),
  ]);
  return Object.fromEntries(settings);
}

/** `${NAME}` is the variable's value, `${NAME?}` nothing where there is none; `\\${NAME}` stays. */
function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(
    /(?<!\\)(\\*)\$\{([^${}?]+)(\?)?\}/g,
    (whole: string, escapes: string, name: string, optional: string | undefined) => {
      if (escapes.length % 2 === 1) return whole.slice((escapes.length + 1) / 2);
      const value = env[name] ?? (optional === undefined ? `\${${name}}` : "");
      return escapes.slice(escapes.length / 2) + value;
    },
  );
}
