/**
 * How events can be followed over HTTP, as the API document shows it.
 *
 * @module
 */
import type { ApiPaths } from "@fovea/http/api";
import { z } from "zod";
import { eventsQuery } from "../routes/events.ts";

const tag = "events";

export const eventPaths: ApiPaths = {
  "/events": {
    get: {
      id: "followEvents",
      tag,
      summary: "Follow the events of jobs as server-sent events",
      description:
        "The same as on the MQTT topic `inference/events`. With `Last-Event-ID` it goes " +
        "on where that was; where so old events are gone, an event `gap` comes first.",
      parameters: {
        query: eventsQuery,
        header: z.object({ "Last-Event-ID": z.string().optional() }),
      },
      answers: {
        200: {
          description: "events, for as long as the client stays",
          content: { "text/event-stream": { schema: { type: "string" } } },
        },
      },
      problems: ["invalid_parameter"],
    },
  },
};

/** Where the broker is the built-in one. */
export const mqttPath: ApiPaths = {
  "/mqtt": {
    get: {
      id: "mqtt",
      tag,
      summary: "The built-in broker over WebSocket",
      description: "MQTT 3.1.1, subprotocol mqtt; not something this page can try out.",
      answers: { 101: { description: "the connection goes on as a WebSocket" } },
      problems: ["upgrade_required"],
    },
  },
};
