/**
 * What fetches models, and what it may do.
 *
 * Hubs redirect to any host, so this process may reach every host. A service, which serves strangers,
 * then need not. The process may write MODELS_DIR and nothing else. It may read everything, since a
 * user's npm settings can name certificates anywhere, and MODEL_MIRROR any folder.
 *
 * @module
 */
import type { Permissions } from "@fovea/process/permissions";

/** Proxies, and the user's npm settings with their tokens. */
const VARIABLES = [
  "HOME",
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
  ...["NPM_TOKEN", "NODE_AUTH_TOKEN", "npm_config_*", "NPM_CONFIG_*"],
];

/** Of a process that fetches models into this folder. */
export function fetchPermissions(modelsDir: string): Permissions {
  return { env: VARIABLES, read: "all", write: [modelsDir], net: "all", sys: [] };
}

/** Of `deno task models`, which has its settings from the environment. */
export function modelsPermissions(env: { get(name: string): string | undefined }): Permissions {
  const allowed = fetchPermissions(env.get("MODELS_DIR") || "./models/cache");
  return { ...allowed, env: [...allowed.env, "MODELS_DIR", "MODEL_MIRROR"] };
}
