import { type ServiceName, startService } from "@fovea/testing";
import { BARE } from "@fovea/testing/suite";
import assert from "node:assert/strict";

const PATHS: Record<"media_store" | "empty_inference", [path: string, allow: string][]> = {
  media_store: [
    ["/entity/", "GET, POST, DELETE, HEAD, OPTIONS"],
    ["/entity/1", "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"],
    ["/entity/1/face-detection-results", "POST, OPTIONS"],
    ["/health/", "GET, HEAD, OPTIONS"],
  ],
  empty_inference: [
    ["/job/face_detection", "GET, POST, DELETE, HEAD, OPTIONS"],
    ["/admin/cleanup", "DELETE, OPTIONS"],
    ["/docs", "GET, HEAD, OPTIONS"],
    ["/mqtt", "GET, HEAD, OPTIONS"],
  ],
};

for (const [name, paths] of Object.entries(PATHS)) {
  Deno.test(`${name} says which methods a path takes`, async () => {
    await using service = await startService(name as ServiceName, BARE);
    for (const [path, allow] of paths) {
      const options = await fetch(`${service.url}${path}`, { method: "OPTIONS" });
      assert.deepEqual([options.status, options.headers.get("Allow")], [204, allow], path);
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
        if (allow.includes(method)) continue;
        const answer = await fetch(`${service.url}${path}`, { method });
        assert.deepEqual([answer.status, answer.headers.get("Allow")], [405, allow], path);
        const { code, detail } = await answer.json();
        assert.equal(code, "method_not_allowed");
        assert.equal(detail, `${method} is not for ${path}: it takes ${allow}`);
      }
    }
    for (const method of ["GET", "OPTIONS", "DELETE"]) {
      const answer = await fetch(`${service.url}/nowhere`, { method });
      assert.deepEqual([answer.status, answer.headers.get("Allow")], [404, null]);
      assert.equal((await answer.json()).code, "route_not_found");
    }
  });
}
