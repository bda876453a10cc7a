import type { Info } from "@fovea/contract";
import type { Report } from "../output/report.ts";
import { Broker } from "../workflow/broker.ts";
import { checkToken, readInfo } from "../workflow/inference.ts";
import { ModelReadiness } from "../workflow/model_readiness.ts";
import { Service } from "../workflow/service.ts";
import { readIssuers, tokenSource } from "@fovea/process/named_file";
import type { Workflow } from "../workflow/workflow.ts";
import type { Client, Options } from "./options.ts";

/**
 * Asks inference what it serves, and connects to the broker.
 *
 * @returns what each picture is worked on with; `broker` and `readiness` have to be disposed of
 * @throws {Problem} saying who can't be reached
 * @throws {NamedFileError} where the token or the issuers can't be read
 */
export async function connect(
  { taskType }: Client,
  options: Options,
  report: Report,
): Promise<Workflow> {
  const { timeout_s, priority, label } = options;
  const file = Deno.env.get("FOVEA_TOKEN_FILE");
  const token = tokenSource({ token: Deno.env.get("FOVEA_TOKEN"), file });
  const tokenFrom = file ? "FOVEA_TOKEN_FILE" : "FOVEA_TOKEN";
  const ca = options.caFile === undefined
    ? undefined
    : await readIssuers(options.caFile, "--ca-file");
  const http = ca === undefined ? undefined : Deno.createHttpClient({ caCerts: [ca] });
  const shared = { token, tokenFrom, http } as const;
  const mediaStore = new Service({ name: "media_store", url: options.mediaStore, ...shared });
  const inference = new Service({ name: "inference", url: options.inference, ...shared });

  const info = await readInfo(inference);
  const task = info.tasks.find((task) => task.task_type === taskType);
  if (task?.model?.semantic === false) {
    report.note(
      `Warning: "${task.model.name}" is a fixture, a stand-in for trying things out: its numbers ` +
        `say nothing about the pictures`,
    );
  }
  const url = options.mqtt ?? brokerUrl(info.mqtt_url, options.inference);
  const broker = isBuiltIn(options, info)
    // The broker gives no reason for which it refuses a token, and inference does.
    ? await Broker.connect({ url, token, ca })
      .catch((error) => checkToken(inference).then(() => Promise.reject(error)))
    : await Broker.connect({ url, ca });
  const readiness = new ModelReadiness(inference, taskType, (text) => report.progress(text));
  readiness.see(info);
  broker.onReturn = () => readiness.look();
  return { mediaStore, inference, broker, readiness, taskType, timeout_s, priority, label };
}

/**
 * Where the broker is reached. A service behind a proxy that speaks TLS does not know of that: where it
 * names itself, as the built-in broker over WebSocket, the connection is as safe as its caller's.
 */
export function brokerUrl(named: string, inference: URL): string {
  const broker = URL.parse(named);
  const isItself = broker?.protocol === "ws:" && broker.host === inference.host;
  return isItself && inference.protocol === "https:" ? named.replace("ws:", "wss:") : named;
}

/**
 * Whether the broker is inference's own: no other is to get the token. An address of the user's own is
 * of that broker where host and port are inference's, or those that inference names.
 */
function isBuiltIn({ mqtt, inference }: Options, { mqtt_built_in, mqtt_url }: Info): boolean {
  if (!mqtt_built_in || mqtt === undefined) return mqtt_built_in;
  const [own, named] = [new URL(mqtt), new URL(mqtt_url)];
  return [inference.hostname, named.hostname].includes(own.hostname) &&
    (own.protocol.startsWith("ws") ? own.port === inference.port : portOf(own) === portOf(named));
}

function portOf({ protocol, port }: URL): string {
  return port || (protocol === "mqtts:" ? "8883" : "1883");
}
