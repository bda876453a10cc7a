import { setImmediate } from "node:timers";
import pino from "pino";
import pretty from "pino-pretty";
import type { CommonSettings } from "./settings.ts";

export type Logger = pino.Logger;

/**
 * The service's log, on stderr: a line per fact. A warning, and all before it, is written before the
 * call returns, so that the last words of a dying process are not lost.
 */
export function openLog(
  service: string,
  settings: Pick<CommonSettings, "LOG_LEVEL" | "LOG_FORMAT">,
): Logger {
  const format = settings.LOG_FORMAT ?? (Deno.stderr.isTerminal() ? "pretty" : "json");
  const options: pino.LoggerOptions = {
    level: settings.LOG_LEVEL,
    base: { service },
    formatters: { level: (label) => ({ level: label }) },
  };
  if (format === "json") return pino(options, batchedDestination());
  return pino(
    options,
    // By the clock of whoever looks at the terminal, and its offset to UTC.
    pretty({ destination: 2, sync: true, ignore: "service", translateTime: "SYS:HH:MM:ss.l o" }),
  );
}

/**
 * Writes the lines of a turn of the event loop together: under load, to write each by itself would
 * take longer than what it tells of.
 */
function batchedDestination(): pino.DestinationStream {
  const stderr = pino.destination({ dest: 2, sync: true });
  let lines = "";
  const flush = () => {
    if (lines !== "") stderr.write(lines);
    lines = "";
  };
  globalThis.addEventListener("unload", flush);
  const stream = {
    // Has pino set `lastLevel` before each line.
    [Symbol.for("pino.metadata")]: true,
    lastLevel: 0,
    write(line: string) {
      if (lines === "") setImmediate(flush);
      lines += line;
      if (stream.lastLevel >= pino.levels.values.warn!) flush();
    },
  };
  return stream;
}
