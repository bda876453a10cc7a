import type { Access } from "@fovea/http/access";
import type { Logger } from "@fovea/process/log";
import { publicAddress } from "@fovea/process/public_address";
import type { Kysely } from "kysely";
import { startBroker } from "../broker/embedded_broker.ts";
import { byToken } from "../broker/permissions.ts";
import type { Tables } from "../database/tables.ts";
import { BrokerLink } from "../events/broker_link.ts";
import type { Link } from "../events/link.ts";
import type { Settings } from "../settings.ts";

export interface BrokerOptions {
  settings: Settings;
  access: Access;
  db: Kysely<Tables>;
  /** Called on each connection, with whether the broker still knows this service. */
  onConnect: (remembers: boolean) => void;
  log: Logger;
}

/** The broker that events go to. */
export interface Broker {
  link: Link;
  /** As `GET /info` shows it. */
  url: string;
  /** Whether it runs in this process, and so remembers nothing of the last one. */
  isEmbedded: boolean;
  /** Takes a WebSocket that speaks MQTT, where it is embedded. */
  accept: ((socket: WebSocket) => void) | undefined;
}

/**
 * Starts a broker in this process, or connects to the one that MQTT_URL names.
 *
 * @throws {SettingsError} where a file that the settings name can't be read
 */
export async function openBroker(
  { settings, access, db, onConnect, log }: BrokerOptions,
): Promise<Broker> {
  if (settings.MQTT_URL === undefined) {
    const broker = await startBroker({
      port: settings.MQTT_PORT,
      maxConnections: settings.MAX_CONNECTIONS,
      log,
      ...settings.AUTH_MODE === "jwt" && { authorize: byToken(access) },
    });
    return { link: broker, url: broker.url, isEmbedded: true, accept: broker.accept };
  }
  const { client_id } = await db.selectFrom("instance").selectAll().executeTakeFirstOrThrow();
  const link = new BrokerLink({
    url: settings.MQTT_URL,
    tls: {
      ca: settings.MQTT_CA_FILE,
      cert: settings.MQTT_CERT_FILE,
      key: settings.MQTT_KEY_FILE,
    },
    clientId: client_id,
    onConnect,
    log,
  });
  return {
    link,
    url: publicAddress(settings.MQTT_URL),
    isEmbedded: false,
    accept: undefined,
  };
}
