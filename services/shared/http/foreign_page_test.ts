/**
 * What pages can make a real browser do to the services, and that tools are not hindered.
 *
 * @module
 */
import { chromium, endOf, pythonClients, startService, testNeeding } from "@fovea/testing";
import { startBrowser } from "@fovea/testing/browser";
import { BARE, clientOf } from "@fovea/testing/suite";
import assert from "node:assert/strict";

// The browser's socket outlives single steps.
const loose = { sanitizeOps: false, sanitizeResources: false };

const PICTURE = await Deno.readFile(
  new URL("../../../clients/images/horse.png", import.meta.url),
);

/** A page of somebody else, at `http://elsewhere.test:PORT` for the browser. */
function elsewhere() {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("<!DOCTYPE html>", { headers: { "Content-Type": "text/html" } }),
  );
  return {
    origin: `http://elsewhere.test:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function startBoth(env: Record<string, string> = {}) {
  await using cleanup = new AsyncDisposableStack();
  const debug = { ...env, LOG_LEVEL: "debug" };
  const store = cleanup.use(await startService("media_store", debug));
  const inference = cleanup.use(
    await startService("empty_inference", { ...BARE, ...debug, MEDIA_STORE_URL: store.url }),
  );
  await clientOf(store.url, inference.url).upload(PICTURE);
  const owned = cleanup.move();
  return { store, inference, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** All that a page can try, each ending in "read", "sent" (without seeing the answer) or "failed". */
const tries = (store: string, inference: string) =>
  `(async () => {
  const form = () => {
    const form = new FormData();
    form.set("is_collection", "true");
    return form;
  };
  const job = '{"media_store_id": 1}';
  const post = (url, body, more) => fetch(url, { method: "POST", body, ...more });
  const blind = { mode: "no-cors" };
  const loads = (element, url) => new Promise((resolve, reject) => {
    element.onload = resolve;
    element.onerror = reject;
    element.src = url;
    document.documentElement.append(element);
  });
  const opens = (source) => new Promise((resolve, reject) => {
    source.onopen = () => { source.close(); resolve(); };
    source.onerror = () => { source.close(); reject(new Error("closed")); };
  });
  const all = {
    form: () => post("${store}/entity/", form()),
    blindForm: () => post("${store}/entity/", form(), blind),
    urlencoded: () => post("${store}/entity/", new URLSearchParams({ is_collection: "true" }), blind),
    textJob: () => post("${inference}/job/face_detection", job, blind),
    job: () => post("${inference}/job/face_detection", job,
      { headers: { "Content-Type": "application/json" } }),
    retry: () => post("${inference}/admin/retry", undefined, blind),
    cleanup: () => fetch("${inference}/admin/cleanup?status=error", { method: "DELETE" }),
    image: () => loads(new Image(), "${store}/entity/1/image"),
    corsImage: () => loads(Object.assign(new Image(), { crossOrigin: "anonymous" }),
      "${store}/entity/1/image"),
    script: () => loads(document.createElement("script"), "${store}/entity/1"),
    read: () => fetch("${store}/entity/").then((answer) => answer.json()),
    info: () => fetch("${inference}/info").then((answer) => answer.json()),
    socket: () => opens(new WebSocket("${inference.replace("http", "ws")}/mqtt", "mqtt")),
    events: () => opens(new EventSource("${inference}/events")),
  };
  const outcome = {};
  for (const [name, attempt] of Object.entries(all)) {
    outcome[name] = await attempt().then(
      (answer) => answer?.type === "opaque" ? "sent" : answer?.ok === false ? "refused" : "read",
      () => "failed",
    );
  }
  return outcome;
})()`;

type Services = Awaited<ReturnType<typeof startBoth>>;

async function left({ store, inference }: Services) {
  const total = async (url: string) =>
    (await (await fetch(url)).json()).pagination.total_items as number;
  return [await total(`${store.url}/entity/`), await total(`${inference.url}/job/`)];
}

testNeeding([chromium], "a foreign page reaches nothing, in a real browser", async () => {
  await using other = elsewhere();
  await using services = await startBoth();
  await using browser = await startBrowser();
  const page = await browser.page();
  await page.goTo(other.origin);
  for (const name of ["127.0.0.1", "localhost"]) {
    const [store, inference] = [services.store.url, services.inference.url]
      .map((url) => url.replace("127.0.0.1", name)) as [string, string];
    const since = [services.store.log().length, services.inference.log().length];
    const outcome = await page.evaluate<Record<string, string>>(tries(store, inference));
    assert.deepEqual(outcome, {
      form: "failed",
      blindForm: "failed",
      urlencoded: "failed",
      textJob: "failed",
      job: "failed",
      retry: "failed",
      cleanup: "failed",
      image: "failed",
      corsImage: "failed",
      script: "failed",
      read: "failed",
      info: "failed",
      socket: "failed",
      events: "failed",
    });
    const requests = [
      ...services.store.log().slice(since[0]),
      ...services.inference.log().slice(since[1]),
    ].filter(({ msg }) => msg === "request");
    assert.ok(requests.length >= 10, `only ${requests.length} requests were made`);
    for (const { method, path, status } of requests) {
      assert.equal(status, 403, `${method} ${path}`);
    }
  }
  assert.deepEqual(await left(services), [1, 0]);
}, loose);

testNeeding([chromium], "a name made to point here (DNS rebinding) reads nothing", async () => {
  await using services = await startBoth();
  await using browser = await startBrowser();
  const page = await browser.page();
  for (const service of [services.store, services.inference]) {
    await page.goTo(service.url.replace("127.0.0.1", "rebound.test"));
    const answers = await page.evaluate<[number, string][]>(`Promise.all(
      ["/entity/1/image", "/entity/", "/job/", "/info", "/admin/stats"].map(async (path) => {
        const answer = await fetch(path);
        return [answer.status, (await answer.json()).code];
      }))`);
    for (const answer of answers) assert.deepEqual(answer, [421, "unknown_host"]);
  }
}, loose);

testNeeding([chromium], "a page of an allowed origin may do all this", async () => {
  await using other = elsewhere();
  await using services = await startBoth({ ALLOWED_ORIGINS: other.origin });
  await using browser = await startBrowser();
  const page = await browser.page();
  await page.goTo(other.origin);
  const { store, inference } = services;
  const outcome = await page.evaluate<Record<string, string>>(tries(store.url, inference.url));
  for (
    const what of ["form", "job", "cleanup", "corsImage", "read", "info", "socket", "events"]
  ) assert.equal(outcome[what], "read", what);
  // It says nothing of its page's origin.
  assert.equal(outcome.image, "failed");
  assert.ok((await left(services))[0]! >= 2);
}, loose);

testNeeding([chromium], `/docs tries calls out on its own service`, async () => {
  await using services = await startBoth();
  await using browser = await startBrowser();
  const page = await browser.page();
  for (const name of ["127.0.0.1", "localhost"]) {
    await page.goTo(`${services.inference.url.replace("127.0.0.1", name)}/docs`);
    const status = await page.evaluate<string>(`(async () => {
      const find = async (selector, within = document) => {
        for (const until = Date.now() + 30_000; Date.now() < until;) {
          const found = within.querySelector(selector);
          if (found !== null) return found;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error("the page has no " + selector);
      };
      await find(".opblock-post");
      const call = [...document.querySelectorAll(".opblock-post")]
        .find((block) => block.textContent.includes("/admin/retry"));
      (await find(".opblock-summary-control", call)).click();
      (await find(".try-out__btn", call)).click();
      (await find(".execute", call)).click();
      return (await find(".live-responses-table tbody .response-col_status", call)).textContent.trim();
    })()`);
    assert.match(status, /^200/);
  }
}, loose);

const PYTHON = `
import json, sys, threading, uuid
import paho.mqtt.client as mqtt
import requests

store, inference, picture = sys.argv[1:4]
form = {"is_collection": "false"}
with open(picture, "rb") as file:
    entity = requests.post(store + "/entity/", data=form, files={"image": file}).json()
info = requests.get(inference + "/info").json()

def listens(job, transport):
    host, port = (inference if transport == "websockets" else info["mqtt_url"]).split("//")[1].split(":")
    client = mqtt.Client(transport=transport)
    client.ws_set_options(path="/mqtt")
    ready, told = threading.Event(), threading.Event()
    client.on_connect = lambda *_: client.subscribe("inference/job/%s/completed" % job, 1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda *_: told.set()
    client.connect(host, int(port))
    client.loop_start()
    assert ready.wait(20), "no SUBACK over " + transport
    return client, told

for transport in ("tcp", "websockets"):
    job = str(uuid.uuid4())
    client, told = listens(job, transport)
    body = {"media_store_id": entity["id"], "job_id": job, "force": True}
    answer = requests.post(inference + "/job/face_detection", json=body)
    assert answer.status_code == 201, answer.text
    assert told.wait(20), "no event over " + transport
    client.disconnect()
print("done")
`;

testNeeding([pythonClients], "curl, Python's requests and paho are not hindered", async () => {
  await using services = await startBoth();
  const picture = new URL("../../../clients/images/camera.png", import.meta.url).pathname;
  const run = async (program: string, args: string[]) => {
    const { stdout, stderr } = await endOf(program, { args });
    return stdout + stderr;
  };
  const { store, inference } = services;
  assert.equal(
    await run("/usr/bin/python3", [
      "-W",
      "ignore",
      "-c",
      PYTHON,
      store.url,
      inference.url,
      picture,
    ]),
    "done\n",
  );
  const said = (args: string[]) =>
    run("curl", ["--silent", "--max-time", "20", "--write-out", " %{http_code}", ...args]);
  const upload = ["-F", "is_collection=false", "-F", `image=@${picture}`, `${store.url}/entity/`];
  assert.match(await said(upload), / 200$/);
  const job = ["--json", '{"media_store_id": 1}', `${inference.url}/job/image_embedding`];
  assert.match(await said(job), / 201$/);
});
