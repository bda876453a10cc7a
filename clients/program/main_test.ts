import { endOf, temporaryFolder, terminals, testNeeding, within } from "@fovea/testing";
import assert from "node:assert/strict";
import { clientArguments, clientCommand, runClient } from "../testing/client_process.ts";
import { StandIn } from "../testing/stand_in.ts";

const PICTURE = new URL("../images/horse.png", import.meta.url).pathname;
const at = ({ address }: StandIn) => ["--media-store", address, "--inference", address];

Deno.test("--help and --version go to stdout and end with 0", async () => {
  const help = await runClient("embed-client", ["--help"]);
  assert.equal(help.code, 0);
  assert.equal(help.stderr, "");
  assert.match(help.stdout, /^Usage: embed-client \[options\] <image\.\.\.>/);
  for (
    const option of [
      "--media-store <host:port>",
      "--inference <host:port>",
      "--mqtt <url>",
      "--ca-file <file>",
      "--timeout <seconds>",
      "--priority <0…10>",
      "--label <text>",
      "--json",
      "--quiet",
      "--no-results",
      "--version",
    ]
  ) assert.ok(help.stdout.includes(option), `${option} is not in --help`);
  assert.doesNotMatch(help.stdout, /--annotate|--crops/);
  const faces = await runClient("face-client", ["--help"]);
  assert.match(faces.stdout, /--annotate <file>.*--crops <folder>.*holiday-face-1\.png/s);
  const version = await runClient("face-client", ["--version"]);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

Deno.test("a wrong option ends with 2, on stderr, with a pointer to --help", async () => {
  const { code, stdout, stderr } = await runClient("face-client", [PICTURE, "--priority", "11"]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /^Cannot run face-client: .*--priority.*'11'.*from 0 to 10: see face-client --help\n$/,
  );
});

Deno.test("Ctrl-C while waiting ends with 130 and prints nothing more", async () => {
  await using standIn = await StandIn.start();
  const submitted = Promise.withResolvers<void>();
  standIn.onSubmit = () => submitted.resolve();
  await using client = clientCommand("face-client", [PICTURE, ...at(standIn), "--quiet"]).spawn();
  await within("a job that was submitted", submitted.promise);
  client.kill("SIGINT");
  const { code } = await within("the end of the client", client.status);
  assert.equal(code, 130);
  assert.equal(await client.stdout.text() + await client.stderr.text(), "");
});

for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  testNeeding(
    [terminals],
    `${signal} leaves the terminal with its line wrap`,
    async () => {
      await using standIn = await StandIn.start();
      await using folder = await temporaryFolder();
      const submitted = Promise.withResolvers<void>();
      standIn.onSubmit = () => submitted.resolve();
      const args = clientArguments("face-client", [PICTURE, ...at(standIn)]);
      const command = ["exec", Deno.execPath(), ...args].map((word) => `'${word}'`).join(" ");
      const script = `echo $$ >'${folder.path}/pid'; ${command.replace("'exec'", "exec")}`;
      await using terminal = new Deno.Command("script", {
        args: ["--quiet", "--return", "--command", script, "/dev/null"],
        env: { FOVEA_TOKEN: "", SHELL: "/bin/sh" },
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const shown = terminal.stdout.text();
      await within("a job that was submitted", submitted.promise);
      Deno.kill(Number(await Deno.readTextFile(`${folder.path}/pid`)), signal);
      assert.equal((await within("the end of the client", terminal.status)).code, expected);
      await terminal.stdin.close();
      const text = await shown;
      const [off, on] = ["\x1b[?7l", "\x1b[?7h"].map((code) => text.lastIndexOf(code));
      assert.ok(off! > 0, `line wrap was never switched off: ${JSON.stringify(text)}`);
      assert.ok(on! > off!, `line wrap is left off: ${JSON.stringify(text)}`);
    },
  );
}

Deno.test("a reader that goes away ends the client, quietly", async () => {
  await using standIn = await StandIn.start();
  const args = [PICTURE, PICTURE, ...at(standIn), "--quiet"];
  await using client = clientCommand("face-client", args).spawn();
  await client.stdout.cancel();
  assert.equal((await within("the end of the client", client.status)).code, 141);
  assert.equal(await client.stderr.text(), "");
});

/** Runs a client through a shell, for what only that can do with its streams. */
async function runInShell(script: string, name: "face-client", args: string[]) {
  const client = clientArguments(name, args);
  return await endOf("sh", {
    args: ["-c", script, Deno.execPath(), ...client],
    env: { FOVEA_TOKEN: "" },
  });
}

Deno.test("results that a full disk does not take end with 2 and the reason", async () => {
  await using standIn = await StandIn.start();
  for (const json of [[], ["--json"]]) {
    const args = [PICTURE, ...at(standIn), "--quiet", ...json];
    const { code, stderr } = await runInShell('"$0" "$@" >/dev/full', "face-client", args);
    assert.equal(code, 2);
    assert.equal(
      stderr,
      "Cannot run face-client: stdout can't be written to: no space left on device\n",
    );
  }
  const help = await runInShell('"$0" "$@" >/dev/full', "face-client", ["--help"]);
  assert.equal(help.code, 2);
});

Deno.test("progress that nobody takes does not stop the results", async () => {
  await using standIn = await StandIn.start();
  const args = [PICTURE, ...at(standIn)];
  const { code, stdout } = await runInShell('"$0" "$@" 2>/dev/full', "face-client", args);
  assert.equal(code, 0);
  assert.match(stdout, /horse\.png: 1 face/);
});
