/**
 * What the tests of several members share: the services and a broker as real processes, temporary
 * folders, and tests that say what they need.
 *
 * @module
 */
export { asJson, asJsonText } from "./as_json.ts";
export { type Certificates, makeCertificates } from "./certificates.ts";
export {
  chromium,
  clang,
  mosquitto,
  type Need,
  openssl,
  pictureTools,
  pythonClients,
  terminals,
  testNeeding,
} from "./need.ts";
export { type MosquittoProcess, overTls, startMosquitto } from "./mosquitto.ts";
export { MQTT_HANDSHAKE } from "./mqtt_handshake.ts";
export { endOf, type ProgramEnd } from "./program_end.ts";
export { runTask } from "./run_task.ts";
export {
  type LogLine,
  runServiceToEnd,
  type ServiceName,
  type ServiceProcess,
  startService,
} from "./service.ts";
export { type TemporaryFolder, temporaryFolder } from "./temporary_folder.ts";
export { type SmallDisk, tmpfs } from "./tmpfs.ts";
export { until, within } from "./until.ts";
export { keyPair, pemOf, tokenOf } from "./tokens.ts";
export { startWebSocketGateway, type WebSocketGateway } from "./web_socket_gateway.ts";
export { type GuardedService, startGuarded } from "./guarded_service.ts";
