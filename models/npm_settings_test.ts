import { temporaryFolder } from "@fovea/testing";
import assert from "node:assert/strict";
import { readNpmSettings } from "./npm_settings.ts";

Deno.test("variables come before the user's file, and that before the machine's", async () => {
  await using folder = await temporaryFolder();
  const machine = `${folder.path}/npmrc`;
  await Deno.writeTextFile(machine, "registry=machine\ncafile=machine\nproxy=machine\n");
  await Deno.writeTextFile(`${folder.path}/.npmrc`, "registry=user\ncafile=~/user.pem\n");
  const { registry, cafile, proxy } = readNpmSettings({
    HOME: folder.path,
    npm_config_globalconfig: machine,
    NPM_CONFIG_REGISTRY: "variable",
  });
  assert.deepEqual([registry, cafile, proxy], ["variable", `${folder.path}/user.pem`, "machine"]);
});

Deno.test("names and values may hold variables, as npm has them", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/.npmrc`;
  await Deno.writeTextFile(
    file,
    [
      "//${HOST}/:_authToken=${TOKEN}",
      "unset=${NOBODY}",
      "optional=a${NOBODY?}b",
      "; a remark",
      'ca[]="one\\ntwo"',
      "ca[]=three",
    ].join("\n"),
  );
  const settings = readNpmSettings({
    npm_config_userconfig: file,
    HOST: "a.example",
    TOKEN: "secret",
    "npm_config_//b.example/:_authToken": "other",
    npm_config_https_proxy: "http://c.example",
  });
  assert.equal(settings["//a.example/:_authToken"], "secret");
  assert.equal(settings["//b.example/:_authToken"], "other");
  assert.equal(settings["https-proxy"], "http://c.example");
  assert.deepEqual([settings.unset, settings.optional], ["${NOBODY}", "ab"]);
  assert.deepEqual(settings.ca, ["one\ntwo", "three"]);
});

Deno.test("where there are no settings at all there are none", () => {
  const settings = readNpmSettings({ HOME: "/nowhere", npm_config_prefix: "/nowhere" });
  assert.deepEqual(settings, { prefix: "/nowhere" });
});
