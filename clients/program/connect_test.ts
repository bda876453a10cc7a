import assert from "node:assert/strict";
import { brokerUrl } from "./connect.ts";

Deno.test("a service that is called by https is its broker by wss, others are as they are named", () => {
  const inference = new URL("https://fovea.example/inference");
  const own = "//fovea.example/inference/mqtt";
  assert.equal(brokerUrl(`ws:${own}`, inference), `wss:${own}`);
  assert.equal(brokerUrl(`ws:${own}`, new URL("http://fovea.example")), `ws:${own}`);
  for (const other of ["ws://broker.example/", "mqtt://127.0.0.1:1883", "mqtts://fovea.example"]) {
    assert.equal(brokerUrl(other, inference), other);
  }
});
