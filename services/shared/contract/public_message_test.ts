import assert from "node:assert/strict";
import { publicMessage } from "./public_message.ts";

Deno.test("a reason is said without the URLs and paths around it", () => {
  const reasons = [
    [
      "error sending request for url (https://user:pass@mirror/a.onnx): client error (Connect): " +
      "dns error: no such host",
      "dns error: no such host",
    ],
    [
      "error sending request from 127.0.0.1:1 for http://a/b (127.0.0.1:2): client error " +
      "(SendRequest): connection closed",
      "connection closed",
    ],
    ["No space left on device (os error 28)", "No space left on device (os error 28)"],
    ["Permission denied (os error 13): open '/srv/models/a'", "Permission denied (os error 13)"],
    [
      "Permission denied (os error 13): rename '/srv/a' -> '/srv/b'",
      "Permission denied (os error 13)",
    ],
    [
      "Uncaught NotFound: No such file or directory (os error 2): readfile '/srv/a'\n    at x",
      "Uncaught NotFound: No such file or directory (os error 2)\n    at x",
    ],
    ['Module not found "file:///srv/a.ts".', "Module not found"],
    [
      'Requires write access to "/srv/models", run again with',
      "Requires write access, run again with",
    ],
  ];
  for (const [message, reason] of reasons) assert.equal(publicMessage(new Error(message)), reason);
});

Deno.test("what is thrown without being an error is said as it is", () => {
  assert.equal(publicMessage("enough"), "enough");
});

Deno.test("this runtime's own messages are understood", async () => {
  const path = "/nowhere/at/all";
  const missing = await Deno.open(path).catch(publicMessage);
  assert.equal(missing, "No such file or directory (os error 2)");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  const refused = await fetch(`http://127.0.0.1:${listener.addr.port}`).catch(publicMessage);
  assert.equal(refused, "tcp connect error: Connection refused (os error 111)");
});
