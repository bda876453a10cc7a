import type { Report } from "../output/report.ts";
import { Broker } from "../workflow/broker.ts";
import { readInfo } from "../workflow/inference.ts";
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
  const token = tokenSource({
    token: Deno.env.get("FOVEA_TOKEN"),
    file: Deno.env.get("FOVEA_TOKEN_FILE"),
  });
  const ca = options.caFile === undefined
    ? undefined
    : await readIssuers(options.caFile, "--ca-file");
  const http = ca === undefined ? undefined : Deno.createHttpClient({ caCerts: [ca] });
  const mediaStore = new Service({ name: "media_store", url: options.mediaStore, token, http });
  const inference = new Service({ name: "inference", url: options.inference, token, http });

  const info = await readInfo(inference);
  const task = info.tasks.find((task) => task.task_type === taskType);
  if (task?.model?.semantic === false) {
    report.note(
      `Warning: "${task.model.name}" is a fixture, a stand-in for trying things out: its numbers ` +
        `say nothing about the pictures`,
    );
  }
  const broker = await Broker.connect({
    url: options.mqtt ?? brokerUrl(info.mqtt_url, options.inference),
    token,
    ca,
  });
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
