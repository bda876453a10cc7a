import type { Item } from "@fovea/contract";
import { asJson, keyPair, startGuarded, tokenOf } from "@fovea/testing";
import assert from "node:assert/strict";
import { craftPng } from "./testing/crafted_picture.ts";
import { form, problemOf } from "./testing/test_app.ts";

const upload = () => form({ is_collection: "false", image: new Blob([craftPng(3, 2)]) });

Deno.test("changes need a token with the right, deleting everything needs an administrator's", async () => {
  await using guarded = await startGuarded("media_store");
  const { call, privateKey } = guarded;
  const reader = await tokenOf(privateKey, {});
  const writer = await tokenOf(privateKey, { media_store_write: true });
  const admin = await tokenOf(privateKey, { is_admin: true });
  const post = asJson({});
  const remove = { method: "DELETE" };

  await problemOf(await call("/entity/", undefined, upload()), "unauthorized", 401);
  const refused = await problemOf(await call("/entity/", reader, upload()), "forbidden", 403);
  assert.match(refused.detail, /"ann" lacks the claim "media_store_write"/);
  const added = await call("/entity/", writer, upload());
  assert.equal(added.status, 201);
  const { id }: Item = await added.json();

  const results = `/entity/${id}/face-detection-results`;
  await problemOf(await call(results, undefined, post), "unauthorized", 401);
  await problemOf(await call(results, reader, post), "forbidden", 403);
  const taken = await call(results, writer, post);
  assert.equal(taken.status, 202);
  await taken.body?.cancel();

  const put = form({ is_collection: "false" }, "PUT");
  const patch = asJson({}, "PATCH");
  for (const change of [put, patch]) {
    await problemOf(await call(`/entity/${id}`, undefined, change), "unauthorized", 401);
    await problemOf(await call(`/entity/${id}`, reader, change), "forbidden", 403);
    assert.equal((await (await call(`/entity/${id}`, writer, change)).json()).id, id);
  }

  await problemOf(await call("/entity/", writer, remove), "forbidden", 403);
  await problemOf(await call(`/entity/${id}`, reader, remove), "forbidden", 403);
  assert.equal((await (await call(`/entity/${id}`, writer, remove)).json()).id, id);
  assert.equal((await (await call("/entity/", admin, remove)).json()).deleted, 0);
});

Deno.test("a token that is expired, forged, incomplete or none at all is refused", async () => {
  await using guarded = await startGuarded("media_store");
  const { call, privateKey } = guarded;
  const stranger = await keyPair();
  const claims = { media_store_write: true };
  const good = await tokenOf(privateKey, claims);
  const [header, , signature] = good.split(".");
  const [, otherPayload] = (await tokenOf(privateKey, { ...claims, is_admin: true })).split(".");
  const unsigned = btoa(JSON.stringify({ alg: "none", typ: "JWT" })).replaceAll("=", "");
  const tokens: [string, RegExp][] = [
    [await tokenOf(privateKey, { ...claims, exp: 1 }), /expired/],
    [await tokenOf(stranger.privateKey, claims), /not valid/],
    [`${header}.${otherPayload}.${signature}`, /not valid/],
    [`${unsigned}.${otherPayload}.`, /not valid/],
    [await tokenOf(privateKey, { ...claims, sub: undefined }), /sub/],
    [await tokenOf(privateKey, { ...claims, exp: undefined }), /exp/],
    ["rubbish", /not valid/],
  ];
  for (const [token, detail] of tokens) {
    const answer = await call("/entity/", token, upload());
    assert.equal(answer.headers.get("WWW-Authenticate"), "Bearer");
    assert.match((await problemOf(answer, "unauthorized", 401)).detail, detail);
  }
});

Deno.test("reads are open unless READ_AUTH_ENABLED, health and documentation always are", async () => {
  for (const [enabled, expected] of [["false", 200], ["true", 401]] as const) {
    await using guarded = await startGuarded("media_store", { READ_AUTH_ENABLED: enabled });
    const { call, privateKey } = guarded;
    const statusOf = async (path: string, token?: string) => {
      const answer = await call(path, token);
      await answer.body?.cancel();
      return answer.status;
    };
    const writer = await tokenOf(privateKey, { media_store_write: true });
    await (await call("/entity/", writer, upload())).body?.cancel();
    const reader = await tokenOf(privateKey, {});
    for (
      const path of ["/entity/", "/entity/1", "/entity/1/versions", "/entity/1/image", "/metrics"]
    ) {
      assert.equal(await statusOf(path), expected, path);
      assert.equal(await statusOf(path, reader), 200, path);
    }
    for (const path of ["/", "/health", "/health/ready", "/docs", "/openapi.json"]) {
      assert.equal(await statusOf(path), 200, path);
    }
  }
});
