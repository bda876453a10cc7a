/**
 * The command line of both clients.
 *
 * @module
 */
import { EXIT, type FaceDetectionResult, Problem, type TaskType } from "@fovea/contract";
import { withoutSecrets } from "@fovea/process/public_address";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import member from "../deno.json" with { type: "json" };
import type { Destination, RequestedPictures } from "../annotation/destination.ts";

/** In what the two clients differ. */
export interface Client {
  name: "embed-client" | "face-client";
  taskType: TaskType;
  /** One sentence for --help. */
  about: string;
  /** Completes "Cannot … astronaut.png". */
  doing: string;
  /** Makes pictures of the faces that were found. Only with it are there --annotate and --crops. */
  writeFacePictures?: (
    bytes: Uint8Array<ArrayBuffer>,
    result: FaceDetectionResult,
    destination: Destination,
  ) => Promise<void>;
}

/** What the user asked for, checked. */
export interface Options extends RequestedPictures {
  mediaStore: URL;
  inference: URL;
  /** Where unset, the address that inference names is taken. */
  mqtt?: string;
  /** PEM file of further issuers of certificates to be trusted. */
  caFile?: string;
  timeout_s: number;
  /** 0…10. */
  priority?: number;
  label?: string;
  json: boolean;
  /** No progress, no warnings. */
  quiet: boolean;
  /** False where results are not printed, because the pictures are only to be indexed. */
  results: boolean;
}

const MAX_TIMEOUT_S = 86_400;

/** What the command line quotes in a message: a quote in it is no end where the text goes on at once. */
const QUOTED = /'(--[\w-]+=)?((?:[^']|'(?!\s|$))*)'/g;

/**
 * Reads the arguments.
 *
 * @returns the options, or the text that --help or --version asked for
 * @throws {Problem} `usage`, naming the option, what it was and what is allowed
 */
export function readOptions(client: Client, args: string[]): Options | string {
  let asked = "";
  const command = commandLine(client)
    .exitOverride()
    .configureOutput({ writeOut: (text) => asked += text, writeErr: () => {} });
  try {
    command.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return asked;
    const fault = error.message.replace(/^error: /, "").replace(" is invalid. ", " is invalid: ")
      .replace(QUOTED, (_, option = "", value) => `'${option}${withoutSecrets(value)}'`)
      .replace(/\s+/g, " ");
    throw new Problem("usage", `${fault}: see ${client.name} --help`);
  }
  const { timeout, json = false, quiet = false, ...given } = command.opts();
  return { images: command.args, timeout_s: timeout, json, quiet, ...given } as Options;
}

function commandLine(client: Client): Command {
  const command = new Command(client.name)
    .description(client.about)
    .version(member.version, "--version", "print the version")
    .helpOption("--help", "print this page")
    .argument("<image...>", "picture files")
    .addOption(address("--media-store <host:port>", "where media_store listens", "localhost:8000"))
    .addOption(address("--inference <host:port>", "where inference listens", "localhost:8001"))
    .option("--mqtt <url>", "the MQTT broker (default: the one inference names)", brokerUrl)
    .option("--ca-file <file>", "trust certificates of the issuers in it, too (PEM)", path)
    .option("--timeout <seconds>", "for each job, from when its model is ready", seconds, 300)
    .option("--priority <0…10>", "higher goes first; without it, 5", priority)
    .option("--label <text>", "label of the pictures in media_store")
    .option("--json", "print one JSON object a line, with all numbers")
    .option("--quiet", "print only results and errors, no progress and no warnings")
    .option("--no-results", "print no results: for pictures that are only to be indexed")
    .addHelpText("after", notes(client));
  if (client.writeFacePictures !== undefined) {
    command
      .option("--annotate <file>", "draw the faces on a copy of the picture, a .png file", path)
      .option("--crops <folder>", "put each face, with a margin, into a file of its own", path);
  }
  return command;
}

const FACE_PICTURE_NOTES = `
For several pictures --annotate takes a folder, one that is there or a name ending in "/", and draws on
holiday-faces.png in it; --crops writes holiday-face-1.png, holiday-face-2.png and so on, largest face
first. Both take JPEG and PNG pictures, turn them as a viewer does, and replace files of these names.
Of any other picture the faces are printed all the same, but it counts as failed (${EXIT.jobFailed}).
`;

function notes(client: Client): string {
  const { ok, jobFailed, usage, timedOut, unreachable, someFailed } = EXIT;
  return `
Results go to stdout, everything else to stderr. A picture that is already stored, or was already
looked at, is not an error: its result is printed. A token for the services is taken from FOVEA_TOKEN,
or from the file that FOVEA_TOKEN_FILE names; host:port may be https://host/path, too.
${client.writeFacePictures === undefined ? "" : FACE_PICTURE_NOTES}
Exit codes:
  ${ok}  all done
  ${jobFailed}  a job failed, or was refused
  ${usage}  wrong option, or a file that can't be read or written
  ${timedOut}  not done in time
  ${unreachable}  a service or the broker can't be reached
  ${someFailed}  of several pictures some failed, or all for different reasons

Example:
  ${client.name} holiday.jpg portrait.png --json`;
}

/** `host:port`, or a URL that may have a path, under which a proxy has the service. */
function address(flags: string, what: string, usual: string): Option {
  const parse = (text: string): URL => {
    const isUrl = text.includes("://");
    const url = URL.parse(isUrl ? text : `http://${text}`);
    if (
      url !== null && /^https?:$/.test(url.protocol) && (isUrl || /:\d+\/?$/.test(text)) &&
      url.href === url.origin + url.pathname
    ) {
      return url;
    }
    throw new InvalidArgumentError(
      `expected host:port, such as ${usual}, or https://host/path without user and query`,
    );
  };
  return new Option(flags, what).argParser(parse).default(parse(usual), usual);
}

function brokerUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^(mqtts?|wss?):$/.test(url.protocol) && url.hostname !== "") return text;
  throw new InvalidArgumentError(
    "expected mqtt://host:port, or mqtts://, ws:// or wss:// in its place",
  );
}

function path(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("expected the name of a file or a folder");
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= MAX_TIMEOUT_S) return value;
  throw new InvalidArgumentError(
    `expected seconds, more than 0 and at most ${MAX_TIMEOUT_S} (a day)`,
  );
}

function priority(text: string): number {
  if (/^(\d|10)$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number from 0 to 10");
}
