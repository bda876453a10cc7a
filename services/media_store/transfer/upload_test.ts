import assert from "node:assert/strict";
import { craftPng } from "../testing/crafted_picture.ts";
import { form, type FormFields, problemOf, type TestApp, testApp } from "../testing/test_app.ts";

const png = () => new Blob([craftPng(3, 2)]);
const text = (content: string) => new Blob([content]);

/** Expects an upload to be refused and to leave nothing, and returns what was said. */
async function refusalOf(app: TestApp, init: RequestInit, code: string, status: number) {
  const answer = await app.request("/entity/", { method: "POST", ...init });
  const { detail } = await problemOf(answer, code, status);
  assert.deepEqual(app.files(), []);
  assert.equal((await app.service.list(1, 1)).pagination.total_items, 0);
  return detail;
}

Deno.test("each wrong form gets its own refusal and leaves nothing behind", async () => {
  await using app = await testApp({ maxPixels: 100 });
  const wrong: [FormFields, string, number, RegExp][] = [
    [{ image: png() }, "missing_field", 422, /is_collection is missing/],
    [{ is_collection: "maybe" }, "invalid_parameter", 422, /is_collection is ".*": true or false/],
    [{ is_collection: "" }, "invalid_parameter", 422, /is_collection is ".*": true or false/],
    [{ is_collection: "false" }, "missing_file", 400, /field image/],
    [{ is_collection: "true", image: png() }, "unexpected_file", 400, /collection has no file/],
    [{ is_collection: "false", image: png(), file: png() }, "unexpected_file", 400, /one file/],
    [{ is_collection: "false", photo: png() }, "missing_file", 400, /^file is missing/],
    [{ is_collection: "false", image: text("") }, "empty_file", 400, /"picture" has no bytes/],
    [{ is_collection: "false", image: text("a note") }, "unsupported_media", 415, /PDF are taken/],
    [
      { is_collection: "false", image: new Blob([craftPng(11, 10)]) },
      "image_too_large",
      422,
      /110 pixels: at most 100/,
    ],
    [
      { is_collection: "false", image: new Blob([craftPng(0, 0)]) },
      "image_unreadable",
      422,
      /a width or height that no picture can have/,
    ],
    [
      { is_collection: "true", parent_id: "x" },
      "invalid_parameter",
      422,
      /parent_id is ".*": a whole/,
    ],
    [{ is_collection: "true", parent_id: "9" }, "invalid_parent", 400, /no such entity/],
    [
      { is_collection: "true", label: "x".repeat(256) },
      "invalid_parameter",
      422,
      /label is "x*…: at most/,
    ],
    [
      { is_collection: "true", description: "x".repeat(70_000) },
      "invalid_parameter",
      422,
      /"description" is over 65536 bytes/,
    ],
    [
      Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`field${i}`, "x"])),
      "invalid_parameter",
      422,
      /more than 32 fields/,
    ],
  ];
  for (const [fields, code, status, detail] of wrong) {
    assert.match(await refusalOf(app, form(fields), code, status), detail);
  }
});

Deno.test("a field that comes twice is refused", async () => {
  await using app = await testApp();
  const { body } = form({ is_collection: "true", label: "one" });
  body.append("label", "two");
  assert.match(await refusalOf(app, { body }, "invalid_parameter", 422), /"label" comes twice/);
});

Deno.test("a parent has to be a collection", async () => {
  await using app = await testApp();
  const { id } = await app.add({ is_collection: "false", image: png() });
  const answer = await app.request(
    "/entity/",
    form({ is_collection: "true", parent_id: String(id) }),
  );
  await problemOf(answer, "invalid_parent", 400);
});

Deno.test("a body that is no multipart form is refused", async () => {
  await using app = await testApp();
  const refused = (init: RequestInit) => refusalOf(app, init, "malformed_body", 422);
  const type = (value: string) => ({ headers: { "Content-Type": value } });
  assert.match(await refused({}), /of no named type: a form is expected/);
  assert.match(await refused({ body: "{}", ...type("application/json") }), /application\/json/);
  await refused({ body: "is_collection=true", ...type("application/x-www-form-urlencoded-not") });
  const multipart = (body: string, parameters = "; boundary=b") =>
    refused({ body, ...type(`multipart/form-data${parameters}`) });
  assert.match(await multipart("x", ""), /: its Content-Type names no boundary$/);
  assert.match(await multipart("x"), /: it breaks off before its end$/);
  assert.match(await multipart("--b\r\nbroken header\r\n"), /: the header of a part is malformed$/);
});

Deno.test("a form that breaks off anywhere is refused and leaves nothing behind", async () => {
  await using app = await testApp();
  const request = new Request("http://localhost", form({ is_collection: "false", image: png() }));
  const headers = { "Content-Type": request.headers.get("Content-Type")! };
  const whole = await request.bytes();
  // All that matters lies before the last boundary's closing dashes.
  for (let end = 0; end < whole.length - 4; end += 7) {
    await refusalOf(app, { body: whole.slice(0, end), headers }, "malformed_body", 422);
  }
  assert.equal(
    (await app.request("/entity/", { method: "POST", headers, body: whole })).status,
    201,
  );
});

Deno.test("a file of the largest size is taken, and one of a byte more is not", async () => {
  const size = craftPng(3, 2).length;
  await using small = await testApp({ maxUploadBytes: size - 1 });
  const upload = form({ is_collection: "false", image: png() });
  const detail = await refusalOf(small, upload, "upload_too_large", 413);
  assert.match(detail, new RegExp(`larger than ${size - 1} bytes`));
  await using large = await testApp({ maxUploadBytes: size });
  await large.add({ is_collection: "false", image: png() });
});

Deno.test("a form's empty file input is no file", async () => {
  await using app = await testApp();
  const { body } = form({ is_collection: "true" });
  body.set("image", new Blob(), "");
  assert.equal((await app.request("/entity/", { method: "POST", body })).status, 201);
});
