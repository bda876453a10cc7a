/**
 * What no log and no answer shows: passwords in addresses, and paths of the machine.
 *
 * @module
 */
import { runServiceToEnd, startService, until } from "@fovea/testing";
import { BARE, clientOf } from "@fovea/testing/suite";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";

/** For the worker of empty_inference. */
const DEADLY_ENTITY = 666_666_666;

const textOf = async (url: string) => await (await fetch(url)).text();

function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("user, password and query of an address are shown nowhere", async () => {
  const port = closedPort();
  await using inference = await startService("empty_inference", {
    ...BARE,
    MEDIA_STORE_URL: `http://me:secret@127.0.0.1:${port}/store`,
    MQTT_URL: `ws://me:secret@127.0.0.1:${port}/mqtt?token=secret`,
  });
  const { submit } = clientOf("", inference.url);
  const { job_id } = await submit("face_detection", { media_store_id: 1 });
  const shown = await until("readiness names media_store", async () => {
    const said = await textOf(`${inference.url}/health/ready`);
    return said.includes("can't be reached") ? said : undefined;
  });
  assert.ok(shown.includes(`can't be reached at http://127.0.0.1:${port}/store: `), shown);
  const info = await textOf(`${inference.url}/info`);
  assert.ok(info.includes(`"ws://127.0.0.1:${port}/mqtt"`), info);
  await until("the log names the broker", () => {
    return inference.log().some(({ broker }) => broker === `ws://127.0.0.1:${port}/mqtt`);
  });
  const job = await textOf(`${inference.url}/job/${job_id}`);
  const all = [shown, info, job, JSON.stringify(inference.log())].join("\n");
  assert.doesNotMatch(all, /secret|me:/);
});

Deno.test("a media_store that is not ready is named without user and password", async () => {
  await using store = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("no", { status: 500 }),
  );
  const { port } = store.addr as Deno.NetAddr;
  await using inference = await startService("empty_inference", {
    ...BARE,
    MEDIA_STORE_URL: `http://me:secret@127.0.0.1:${port}`,
  });
  const said = await textOf(`${inference.url}/health/ready`);
  assert.ok(said.includes(`http://127.0.0.1:${port}/health/ready answered 500`), said);
  assert.doesNotMatch(said, /secret|me:/);
});

Deno.test("a wrong address is refused at the start without repeating what is secret in it", async () => {
  const wrong = [
    [
      "MEDIA_STORE_URL",
      "ftp://me:secret@h:1/?secret",
      /is "ftp:\/\/h:1\/": a URL is expected, such/,
    ],
    ["MEDIA_STORE_URL", "http://h/?token=secret", /is "http:\/\/h\/": a URL without \? and #/],
    ["MEDIA_STORE_URL", "http://h/#secret", /is "http:\/\/h\/": a URL without \? and #/],
    ["MQTT_URL", "me:secret@h:1883", /is "h:1883": a URL is expected, such as mqtt:/],
    ["MQTT_URL", "http://me:secret@h", /is "http:\/\/h": a URL is expected, such as mqtt:/],
  ] as const;
  for (const [name, value, said] of wrong) {
    const { code, stderr } = await runServiceToEnd("inference", { ...BARE, [name]: value });
    assert.equal(code, 2, stderr);
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /secret|me:/);
  }
});

Deno.test("readiness shows no path of a damaged database, and the log does", async () => {
  await using service = await startService("empty_inference", BARE);
  const path = `${service.dataDir}/inference/inference.sqlite`;
  await damage(path, "instance");
  const answer = await fetch(`${service.url}/health/ready`);
  const { checks } = await answer.json();
  assert.deepEqual([answer.status, checks.database], [503, {
    state: "failed",
    detail: "the check failed: the service's log says why",
  }]);
  assert.ok(!JSON.stringify(checks).includes(service.dataDir));
  await until("the log names the file", () => {
    return service.log().some(({ msg, err }) =>
      msg === "not ready" && JSON.stringify(err).includes(`${path} is damaged`)
    );
  });
});

Deno.test("a job whose worker died says of what, and the log alone says with which file", async () => {
  await using service = await startService("empty_inference", BARE);
  const { submit, ended } = clientOf("", service.url);
  const { job_id } = await submit("face_detection", { media_store_id: DEADLY_ENTITY });
  const { error_code, error_message } = await ended(job_id);
  assert.equal(error_code, "poisoned");
  assert.match(error_message!, /No such file or directory/);
  assert.doesNotMatch(error_message!, /missing|testing/);
  const died = service.log().filter(({ msg }) => msg === "worker died");
  assert.match(String(died[0]?.reason), /No such file or directory.*testing\/missing/);
});

/** Overwrites the first page of a table of a database in use, which is read anew. */
async function damage(path: string, table: string): Promise<void> {
  using db = new DatabaseSync(path);
  // The service writes it, too.
  db.exec("PRAGMA busy_timeout = 10000");
  db.exec(`UPDATE ${table} SET rowid = rowid`);
  await until("the log is in the file", () => {
    return db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()!.busy === 0;
  });
  const { rootpage } = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(table)!;
  const { page_size } = db.prepare("PRAGMA page_size").get()!;
  using file = await Deno.open(path, { write: true });
  await file.seek((Number(rootpage) - 1) * Number(page_size), Deno.SeekMode.Start);
  await file.write(new Uint8Array(Number(page_size)).fill(0x55));
}
