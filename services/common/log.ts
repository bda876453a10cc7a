import pino from "pino";
import pretty from "pino-pretty";
import type { CommonSettings } from "./settings.ts";

export type Logger = pino.Logger;

/**
 * The service's log, on stderr: a line per fact, written before the call returns, so that the last
 * words of a dying process are not lost.
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
  if (format === "json") return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(
    options,
    pretty({ destination: 2, sync: true, ignore: "service", translateTime: "HH:MM:ss.l" }),
  );
}
