/**
 * That the table of rights holds for every call of both services, as they are started.
 *
 * @module
 */
import { startGuarded, tokenOf } from "@fovea/testing";
import { callsOf } from "@fovea/testing/calls";
import { BARE } from "@fovea/testing/suite";
import assert from "node:assert/strict";

for (const name of ["media_store", "empty_inference"] as const) {
  for (const enabled of ["true", "false"] as const) {
    Deno.test(`every call of ${name} wants its right, with READ_AUTH_ENABLED=${enabled}`, async () => {
      await using guarded = await startGuarded(name, { ...BARE, READ_AUTH_ENABLED: enabled });
      const reader = await tokenOf(guarded.privateKey, {});
      const outcome = async (method: string, path: string, token?: string) => {
        const leave = new AbortController();
        const { status, headers } = await guarded.call(path, token, {
          method,
          signal: leave.signal,
        });
        // Some have no end.
        leave.abort();
        assert.equal(headers.get("WWW-Authenticate"), status === 401 ? "Bearer" : null);
        return status === 401 || status === 403 ? status : "passed";
      };
      for (const { method, path, right } of callsOf(name)) {
        const isOpen = right === "open" || (right === "read" && enabled === "false");
        const isRead = isOpen || right === "read" || right === "token";
        const call = `${method} ${path} (${right})`;
        assert.equal(
          await outcome(method, path),
          isOpen ? "passed" : 401,
          `${call} without a token`,
        );
        assert.equal(
          await outcome(method, path, reader),
          isRead ? "passed" : 403,
          `${call} reading`,
        );
        const rubbish = isOpen ? "passed" : 401;
        assert.equal(await outcome(method, path, "rubbish"), rubbish, `${call} with rubbish`);
        const token = await tokenOf(guarded.privateKey, isRead ? {} : { [right]: true });
        assert.equal(await outcome(method, path, token), "passed", `${call} with its right`);
      }
    });
  }
}
