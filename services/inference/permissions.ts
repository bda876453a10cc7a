import { namedFiles, ownFiles, type Permissions } from "@fovea/process/permissions";
import { fileURLToPath } from "node:url";
import { inferenceSettings, SETTING_NAMES } from "./settings.ts";

interface Env {
  get(name: string): string | undefined;
}

/** What fetching weights reads: proxies, and the user's npm settings with their tokens. */
const FETCHING = [
  "HOME",
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
  ...["NPM_TOKEN", "NODE_AUTH_TOKEN", "npm_config_*", "NPM_CONFIG_*"],
];

/** Where the user's npm settings lie. */
function npmSettings(env: Env): string[] {
  const home = env.get("HOME");
  return [
    ...home === undefined ? [] : [`${home}/.npmrc`],
    ...["npm_config_userconfig", "NPM_CONFIG_USERCONFIG"].map((name) => env.get(name) ?? ""),
  ].filter((path) => path !== "");
}

/**
 * What inference may do with these settings. See [note: narrowed].
 *
 * @throws {SettingsError} naming everything that is wrong
 */
export function inferencePermissions(env: Env): Permissions {
  const settings = inferenceSettings(env);
  const mirror = settings.MODEL_MIRROR;
  return {
    env: [...SETTING_NAMES, ...FETCHING],
    read: [
      ...ownFiles(),
      settings.DATA_DIR,
      settings.MODELS_DIR,
      ...namedFiles(settings),
      ...npmSettings(env),
      ...mirror === undefined || /^https?:/.test(mirror) ? [] : [mirror],
    ],
    write: [`${settings.DATA_DIR}/inference`, settings.MODELS_DIR],
    // Weights come from hubs, which redirect to any host.
    net: "all",
    sys: ["hostname"],
    ...settings.INFERENCE_BACKEND === "native" && {
      ffi: [fileURLToPath(new URL("native", import.meta.url))],
    },
  };
}
