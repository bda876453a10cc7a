import assert from "node:assert/strict";
import { startMosquitto } from "./mosquitto.ts";
import { mosquitto, testNeeding } from "./need.ts";

testNeeding(
  [mosquitto],
  "mosquitto comes back on the same port and ends with the block",
  async () => {
    let port;
    {
      await using broker = await startMosquitto();
      port = broker.port;
      await assertTaken(port);
      await broker.stop();
      await assert.rejects(Deno.connect({ port }), Deno.errors.ConnectionRefused);
      await broker.start();
      await assertTaken(port);
    }
    await assert.rejects(Deno.connect({ port }), Deno.errors.ConnectionRefused);
  },
);

testNeeding([mosquitto], "a mosquitto that can't start says why", async () => {
  await assert.rejects(startMosquitto(["no_such_option true"]), /no_such_option/);
});

async function assertTaken(port: number): Promise<void> {
  (await Deno.connect({ port })).close();
}
