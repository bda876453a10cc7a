import {
  commonSettings,
  count,
  flag,
  MAX_TIMER_SECONDS,
  port,
  readSettings,
  SettingsError,
} from "@fovea/process/settings";
import type { TaskType } from "@fovea/contract";
import { modelChoices } from "@fovea/models";
import { z } from "zod";
import { BACKENDS } from "./runtime/backend.ts";
import { TASKS } from "./tasks/list.ts";
import { PRECISIONS } from "./tasks/shared_towers.ts";

const mqttUrl = z.url({
  protocol: /^(mqtts?|wss?)$/,
  error: "a URL is expected, such as mqtt://localhost:1883",
});

/** A hundred years: no retention is meant to be longer. */
const MAX_DAYS = 36_500;

const ownSettings = commonSettings.extend({
  INFERENCE_HOST: z.string().min(1).default("127.0.0.1"),
  INFERENCE_PORT: port.default(8001),
  MEDIA_STORE_URL: z.url({
    protocol: /^https?$/,
    error: "a URL is expected, such as http://127.0.0.1:8000",
  })
    // Paths are put behind it.
    .refine((url) => !/[?#]/.test(url), { error: "a URL without ? and # is expected" })
    .default("http://127.0.0.1:8000"),
  /** For https: who else may have signed media_store's certificate. */
  MEDIA_STORE_CA_FILE: z.string().min(1).optional(),
  /** Unset: a broker is started in this process. */
  MQTT_URL: mqttUrl.optional(),
  /** For mqtts:// and wss://: who signed the broker's certificate, and this service's own. */
  MQTT_CA_FILE: z.string().min(1).optional(),
  MQTT_CERT_FILE: z.string().min(1).optional(),
  MQTT_KEY_FILE: z.string().min(1).optional(),
  MQTT_PORT: port.default(1883),
  MODELS_DIR: z.string().min(1).default("./models/cache"),
  MODEL_MIRROR: z.string().min(1).optional(),
  EMBEDDING_PRECISION: z.enum(PRECISIONS).default(PRECISIONS[0]),
  INFERENCE_BACKEND: z.enum(BACKENDS).default(BACKENDS[0]),
  INFERENCE_WORKERS: count(1, 1024).default(navigator.hardwareConcurrency),
  /** False: every pixel of a picture is decoded, whatever its task needs. */
  SHRINK_WHILE_DECODING: flag.default(true),
  /** Workers without a job are ended after this; 0: never. */
  WORKER_IDLE_SECONDS: count(0, MAX_TIMER_SECONDS).default(900),
  /** How many jobs may wait; more are refused. */
  QUEUE_LIMIT: count(1).default(100_000),
  /** Ended jobs are removed after this; 0: never. */
  JOB_RETAIN_DAYS: count(0, MAX_DAYS).default(30),
  EVENT_RETAIN_MINUTES: count(1, Math.floor(MAX_TIMER_SECONDS / 60)).default(60),
  /** Sent to media_store as bearer token, where it wants one: to read pictures, and to take results. */
  FOVEA_TOKEN: z.string().min(1).optional(),
  /** A file with the token, in place of FOVEA_TOKEN. */
  FOVEA_TOKEN_FILE: z.string().min(1).optional(),
});
type OwnSettings = z.output<typeof ownSettings>;

export type Settings = OwnSettings & {
  /** `auto` or a model's name, for each task that has weights. */
  modelChoices: Record<TaskType, string>;
};

/** Tasks that have weights, each with the setting that chooses its model. */
const MODEL_SETTINGS = TASKS.all.flatMap(({ type, modelSetting }) =>
  modelSetting === null ? [] : [[type, modelSetting] as const]
);

const modelSettings: Record<never, never> = Object.fromEntries(
  MODEL_SETTINGS.map(([type, name]) => [name, z.enum(modelChoices(type)).default("auto")]),
);

const schema = ownSettings.extend(modelSettings);

/** The variables that are read. */
export const SETTING_NAMES: readonly string[] = Object.keys(schema.shape);

/** @throws {SettingsError} naming everything that is wrong */
export function inferenceSettings(env: { get(name: string): string | undefined }): Settings {
  const settings = readSettings(schema, env);
  checkMqttFiles(settings);
  if (
    settings.MEDIA_STORE_CA_FILE !== undefined && !settings.MEDIA_STORE_URL.startsWith("https:")
  ) {
    throw new SettingsError(
      "Cannot start: MEDIA_STORE_CA_FILE is for a media_store that speaks TLS: " +
        "set MEDIA_STORE_URL to https://…",
    );
  }
  return {
    ...settings,
    MEDIA_STORE_URL: settings.MEDIA_STORE_URL.replace(/\/+$/, ""),
    modelChoices: Object.fromEntries(
      MODEL_SETTINGS.map(([type, name]) => [type, (settings as Record<string, unknown>)[name]]),
    ) as Record<TaskType, string>,
  };
}

function checkMqttFiles(settings: OwnSettings): void {
  const { MQTT_URL, MQTT_CERT_FILE, MQTT_KEY_FILE } = settings;
  const named = (["MQTT_CA_FILE", "MQTT_CERT_FILE", "MQTT_KEY_FILE"] as const)
    .filter((name) => settings[name] !== undefined);
  if (named.length > 0 && !/^(mqtts|wss):/.test(MQTT_URL ?? "")) {
    throw new SettingsError(
      `Cannot start: ${named.join(", ")} is for a broker that speaks TLS: ` +
        "set MQTT_URL to mqtts://… or wss://…",
    );
  }
  if ((MQTT_CERT_FILE === undefined) !== (MQTT_KEY_FILE === undefined)) {
    throw new SettingsError("Cannot start: MQTT_CERT_FILE and MQTT_KEY_FILE belong together");
  }
}
