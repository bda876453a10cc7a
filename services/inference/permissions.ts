import { FETCH_PROGRAM } from "@fovea/models";
import {
  endpointOf,
  listenerOf,
  namedFiles,
  ownFiles,
  type Permissions,
  threadPermissions,
} from "@fovea/process/permissions";
import { fileURLToPath } from "node:url";
import { inferenceSettings, SETTING_NAMES, type Settings } from "./settings.ts";

/** The folder of the native backend. */
const NATIVE = [fileURLToPath(new URL("native", import.meta.url))];

/**
 * What inference may do with these settings. See [note: narrowed].
 *
 * @throws {SettingsError} naming everything that is wrong
 */
export function inferencePermissions(env: { get(name: string): string | undefined }): Permissions {
  const settings = inferenceSettings(env);
  const { INFERENCE_HOST, INFERENCE_PORT, MEDIA_STORE_URL, MQTT_URL, MQTT_PORT } = settings;
  return {
    env: [...SETTING_NAMES],
    read: [
      ...ownFiles(),
      settings.DATA_DIR,
      settings.MODELS_DIR,
      ...namedFiles(settings),
    ],
    write: [`${settings.DATA_DIR}/inference`, settings.MODELS_DIR],
    net: [
      listenerOf(INFERENCE_HOST, INFERENCE_PORT),
      endpointOf(MEDIA_STORE_URL),
      MQTT_URL === undefined ? listenerOf("127.0.0.1", MQTT_PORT) : endpointOf(MQTT_URL),
    ],
    // Weights come from hubs, which redirect to any host: a process of its own fetches them.
    run: [FETCH_PROGRAM],
    sys: ["hostname"],
    ...settings.INFERENCE_BACKEND === "native" && { ffi: NATIVE },
  };
}

/**
 * What its workers may do, of that: whatever a picture makes its decoder do, it writes nothing, runs
 * nothing, learns nothing of the environment, and reaches nobody but media_store.
 */
export function workerPermissions(
  settings: Pick<
    Settings,
    "MODELS_DIR" | "MEDIA_STORE_URL" | "FOVEA_TOKEN_FILE" | "INFERENCE_BACKEND"
  >,
): Deno.PermissionOptionsObject {
  return {
    ...threadPermissions([
      settings.MODELS_DIR,
      ...namedFiles({ FOVEA_TOKEN_FILE: settings.FOVEA_TOKEN_FILE }),
    ]),
    net: [endpointOf(settings.MEDIA_STORE_URL)],
    ffi: settings.INFERENCE_BACKEND === "native" ? NATIVE : false,
  };
}
