import { upgradeWebSocket } from "@fovea/http/web_socket";
import { Hono } from "hono";

/** `/mqtt`: the embedded broker over WebSocket, for clients that can't open a TCP connection. */
export function mqttRoute(accept: (socket: WebSocket) => void): Hono {
  const app = new Hono();
  app.get("/mqtt", (c) => {
    const { socket, response } = upgradeWebSocket(c.req.raw, "mqtt");
    accept(socket);
    return response;
  });
  return app;
}
