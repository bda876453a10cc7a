import { FETCH_PROGRAM } from "@fovea/models";
import {
  endpointOf,
  listenerOf,
  namedFiles,
  ownFiles,
  type Permissions,
} from "@fovea/process/permissions";
import { fileURLToPath } from "node:url";
import { inferenceSettings, SETTING_NAMES } from "./settings.ts";

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
    ...settings.INFERENCE_BACKEND === "native" && {
      ffi: [fileURLToPath(new URL("native", import.meta.url))],
    },
  };
}
