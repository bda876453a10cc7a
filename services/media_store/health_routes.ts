import type { Logger } from "@fovea/process/log";
import { requestIdOf } from "@fovea/http/request_id";
import { Problem } from "@fovea/contract";
import { Hono } from "hono";
import type { EntityService } from "./entities/service.ts";

/** `/health`: the process lives; `/health/ready`: it can do its work. Open to everybody. */
export function healthRoutes(service: EntityService, log: Logger): Hono {
  const health = new Hono({ strict: false });
  health.get("/", (c) => c.json({ status: "ok" }));
  health.get("/ready", async (c) => {
    try {
      await service.probe();
    } catch (error) {
      if (error instanceof Problem) throw new Problem("not_ready", error.message);
      log.error({ err: error, request_id: requestIdOf(c) }, "not ready");
      throw new Problem("not_ready", "the store can't be written: the service's log says why");
    }
    return c.json({ status: "ready" });
  });
  return health;
}
