import { Problem } from "@fovea/contract";
import assert from "node:assert/strict";
import { type Client, type Options, readOptions } from "./options.ts";

const CLIENT: Client = {
  name: "face-client",
  taskType: "face_detection",
  about: "Finds faces.",
  doing: "find faces in",
};

function read(...args: string[]): Options {
  const options = readOptions(CLIENT, args);
  assert.ok(typeof options !== "string");
  return options;
}

Deno.test("a picture is all that has to be given", () => {
  const { mediaStore, inference, ...others } = read("a.png");
  assert.equal(mediaStore.href, "http://localhost:8000/");
  assert.equal(inference.href, "http://localhost:8001/");
  assert.deepEqual(others, {
    images: ["a.png"],
    timeout_s: 300,
    json: false,
    quiet: false,
    results: true,
  });
});

Deno.test("every option arrives, before and after the pictures", () => {
  const options = read(
    ...["--media-store", "store:81", "--inference=https://example.org", "a.png", "--mqtt"],
    ...["mqtts://me:pw@broker:8883", "--timeout", "2.5", "--priority", "0", "b.png", "--label"],
    ...["two of them", "--json", "--quiet", "--no-results"],
  );
  const { mediaStore, inference, ...others } = options;
  assert.equal(mediaStore.href, "http://store:81/");
  assert.equal(inference.href, "https://example.org/");
  assert.deepEqual(others, {
    images: ["a.png", "b.png"],
    mqtt: "mqtts://me:pw@broker:8883",
    timeout_s: 2.5,
    priority: 0,
    label: "two of them",
    json: true,
    quiet: true,
    results: false,
  });
});

Deno.test("only a client that makes pictures of faces takes --annotate and --crops", () => {
  const args = ["a.png", "--annotate", "out.png", "--crops", "faces"];
  assert.throws(() => read(...args), /unknown option '--annotate'/);
  const withPictures = { ...CLIENT, writeFacePictures: () => Promise.resolve() };
  const options = readOptions(withPictures, args) as Options;
  assert.equal(options.annotate, "out.png");
  assert.equal(options.crops, "faces");
  assert.throws(
    () => readOptions(withPictures, ["a.png", "--crops", ""]),
    /expected the name of a file or a folder/,
  );
});

Deno.test("a file whose name begins with a dash comes after --", () => {
  assert.deepEqual(read("--json", "--", "-a.png").images, ["-a.png"]);
});

Deno.test("a service may lie under a path of a host", () => {
  const { mediaStore, inference } = read(
    ...["a.png", "--media-store", "https://example.org/fovea/store", "--inference"],
    "http://host:1/inference/",
  );
  assert.equal(mediaStore.href, "https://example.org/fovea/store");
  assert.equal(inference.href, "http://host:1/inference/");
});

Deno.test("no message repeats user, password or query of an address", () => {
  for (
    const args of [
      ["--mqtt", "http://me:secret@h:1"],
      ["--mqtt", "http://me:sec'ret/secret@h:1?secret"],
      ["--mqtt", "http://h:1#secret"],
      ["--mqt=http://me:secret@h:1"],
      ["--inference", "http://me:secret@h:1/?key=secret"],
    ]
  ) {
    assert.throws(() => read("a.png", ...args), (error) => {
      assert.doesNotMatch((error as Error).message, /sec|ret|me:/);
      assert.match((error as Error).message, /'(--mqt=)?http:\/\/h:1/);
      return true;
    });
  }
});

Deno.test("what is wrong is named, with what it was and what is allowed", () => {
  const cases: [string[], RegExp][] = [
    [[], /missing required argument 'image'/],
    [["a.png", "--colour", "red"], /unknown option '--colour'/],
    [["a.png", "--priorty", "3"], /unknown option '--priorty' \(Did you mean --priority\?\)/],
    [["a.png", "--timeout"], /'--timeout <seconds>' argument missing/],
    [["a.png", "--inference", "example.org"], /'example.org' .* host:port, such as localhost:8001/],
    [["a.png", "--inference", "a:b:c"], /host:port/],
    [["a.png", "--inference", "host:99999"], /host:port/],
    [["a.png", "--media-store", "http://host:1/path?q=1"], /host:port, such as localhost:8000/],
    [["a.png", "--media-store", "https://me:pw@host/"], /without user and query/],
    [["a.png", "--media-store", "host/path"], /or https:\/\/host\/path/],
    [["a.png", "--ca-file", ""], /expected the name of a file/],
    [["a.png", "--media-store", "ftp://host:1"], /host:port/],
    [["a.png", "--mqtt", "http://host:1883"], /'http:\/\/host:1883' .* mqtt:\/\/host:port/],
    [["a.png", "--mqtt", "localhost:1883"], /mqtt:\/\/host:port/],
  ];
  for (const value of ["", "0", "-1", "soon", "Infinity", "86401"]) {
    cases.push([["a.png", "--timeout", value], /more than 0 and at most 86400/]);
  }
  for (const value of ["", "-1", "11", "5.5", "010", "high"]) {
    cases.push([["a.png", "--priority", value], /whole number from 0 to 10/]);
  }
  for (const [args, message] of cases) {
    assert.throws(() => readOptions(CLIENT, args), (error) => {
      assert.ok(error instanceof Problem);
      assert.equal(error.code, "usage");
      assert.match(error.message, message);
      return true;
    });
  }
});
