/**
 * Tests that need what a bare machine may lack are reported as ignored, with the reason in their
 * name, and never as passed.
 *
 * @module
 */
import { hasChromium } from "./browser.ts";
import { findMosquitto } from "./mosquitto.ts";

/** Something that may or may not be there. */
export interface Need {
  readonly isThere: boolean;
  /** What it is and how to come by it, as in "needs …". */
  readonly what: string;
}

/** Debian's MQTT broker. */
export const mosquitto: Need = {
  isThere: findMosquitto() !== undefined,
  what: "mosquitto (apt-get install mosquitto)",
};

/** Debian's compiler for the kernels. */
export const clang: Need = {
  isThere: answers("clang-19") && answers("wasm-ld-19"),
  what: "clang-19 and lld-19 (apt-get install clang-19 lld-19)",
};

/** util-linux's maker of terminals. */
export const terminals: Need = {
  isThere: answers("script"),
  what: "script (apt-get install bsdutils)",
};

/** Debian's tool for certificates. */
export const openssl: Need = {
  isThere: answers("openssl", "version"),
  what: "openssl (apt-get install openssl)",
};

/** Debian's browser. */
export const chromium: Need = {
  isThere: hasChromium,
  what: "chromium (apt-get install chromium)",
};

/** The clients that scripts are written with. */
export const pythonClients: Need = {
  isThere: answers("curl") && answers("/usr/bin/python3", "-c", "import requests, paho.mqtt"),
  what: "curl, requests and paho (apt-get install curl python3-requests python3-paho-mqtt)",
};

/** Debian's readers and writers of pictures, which are not those that the services use. */
export const pictureTools: Need = {
  isThere: answers("/usr/bin/python3", "-c", "import PIL") && answers("convert", "-version") &&
    isThere("heif-convert") && answers("avifenc") && answers("cjxl") && isThere("tiffcp"),
  what: "python3-pil, imagemagick, libheif-examples, libavif-bin, libjxl-tools and libtiff-tools " +
    "(apt-get install them)",
};

function answers(program: string, ...question: string[]): boolean {
  const args = question.length === 0 ? ["--version"] : question;
  return run(program, args)?.success ?? false;
}

/** Of programs that know no question that they would answer with success. */
function isThere(program: string): boolean {
  return run(program, ["--version"]) !== undefined;
}

function run(program: string, args: string[]): Deno.CommandOutput | undefined {
  try {
    return new Deno.Command(program, { args }).outputSync();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Registers a test that runs only where all its needs are met.
 *
 * @example
 * ```ts ignore
 * testNeeding([mosquitto], "events reach an outside broker", async () => {
 *   await using broker = await startMosquitto();
 * });
 * ```
 */
export function testNeeding(
  needs: Need[],
  name: string,
  fn: (t: Deno.TestContext) => void | Promise<void>,
  options: Omit<Deno.TestDefinition, "name" | "fn"> = {},
): void {
  const missing = needs.filter((need) => !need.isThere).map((need) => need.what);
  if (missing.length === 0) Deno.test({ ...options, name, fn });
  else Deno.test({ name: `${name} [needs ${missing.join(" and ")}]`, ignore: true, fn });
}
