import assert from "node:assert/strict";
import { publicAddress, withoutSecrets } from "./public_address.ts";

Deno.test("an address is shown without user, password, query and fragment", () => {
  const addresses = [
    ["http://me:secret@h:8000/", "http://h:8000"],
    ["wss://h/mqtt?token=secret", "wss://h/mqtt"],
    ["mqtt://me:sec%40ret@[::1]:1883", "mqtt://[::1]:1883"],
    ["https://h/store/#secret", "https://h/store"],
  ] as const;
  for (const [address, shown] of addresses) {
    assert.equal(publicAddress(address), shown);
    assert.equal(publicAddress(new URL(address)), shown);
  }
});

Deno.test("of what is no address, too, nothing secret is shown", () => {
  const texts = [
    ["mqtt//me:secret@h:1883", "h:1883"],
    ["http://me:sec/r@et@h:1883/x?key=secret", "http://h:1883/x"],
    ["me:secret@h", "h"],
    ["htp://h/?secret", "htp://h/"],
    ["localhost:1883", "localhost:1883"],
    ["4?", "4?"],
  ] as const;
  for (const [text, shown] of texts) assert.equal(withoutSecrets(text), shown);
});
