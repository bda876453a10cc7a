import { Problem } from "@fovea/contract";
import { Hono } from "hono";

/** `/mqtt`: the embedded broker over WebSocket, for who can't open a TCP connection. */
export function mqttRoute(accept: (socket: WebSocket) => void): Hono {
  const app = new Hono();
  app.get("/mqtt", (c) => {
    const wanted = c.req.header("Sec-WebSocket-Protocol") ?? "";
    if (c.req.header("Upgrade")?.toLowerCase() !== "websocket" || !/\bmqtt\b/.test(wanted)) {
      throw new Problem("invalid_parameter", "this is MQTT over WebSocket, subprotocol mqtt");
    }
    const { socket, response } = Deno.upgradeWebSocket(c.req.raw, { protocol: "mqtt" });
    accept(socket);
    return response;
  });
  return app;
}
