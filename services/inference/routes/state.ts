import { type Info, Problem } from "@fovea/contract";
import { basePathOf } from "@fovea/http/base_path";
import { requestIdOf } from "@fovea/http/request_id";
import type { Logger } from "@fovea/process/log";
import { isLoopback } from "@fovea/process/settings";
import { type Context, Hono } from "hono";
import type { Check } from "../readiness.ts";

export interface StateOptions {
  info: () => Info;
  checks: readonly Check[];
  /** Whether the broker is the built-in one. */
  isBroker: boolean;
  log: Logger;
}

/** `/health`, `/health/ready` and `/info`: what the service is and whether it can do its work. */
export function stateRoutes({ info, checks, isBroker, log }: StateOptions): Hono {
  const app = new Hono();

  app.get("/info", (c) => {
    return c.json({ ...info(), ...isBroker && brokerAsCalled(c) });
  });
  app.get("/health", (c) => c.json({ status: "ok" }));

  app.get("/health/ready", async (c) => {
    const results = await Promise.all(checks.map(async ({ name, optional, check }) => {
      try {
        await check();
        return { name, state: "ok" as const, detail: null };
      } catch (error) {
        const state = optional ? "degraded" as const : "failed" as const;
        if (error instanceof Problem) return { name, state, detail: error.message };
        log.error({ err: error, check: name, request_id: requestIdOf(c) }, "not ready");
        return { name, state, detail: "the check failed: the service's log says why" };
      }
    }));
    const failed = results.some(({ state }) => state === "failed");
    const degraded = results.some(({ state }) => state === "degraded");
    const status = failed ? "not ready" : degraded ? "degraded" : "ready";
    const entries = results.map(({ name, state, detail }) => [
      name,
      detail === null ? { state } : { state, detail },
    ]);
    return c.json({ status, checks: Object.fromEntries(entries) }, failed ? 503 : 200);
  });

  return app;
}

/**
 * The built-in broker's TCP port is there for this machine only: who calls from elsewhere reaches it
 * as this service itself, by WebSocket.
 */
function brokerAsCalled(c: Context): Partial<Info> {
  const { protocol, host, hostname } = new URL(c.req.url);
  if (isLoopback(hostname)) return {};
  const scheme = protocol === "https:" ? "wss" : "ws";
  return { mqtt_url: `${scheme}://${host}${basePathOf(c)}/mqtt` };
}
