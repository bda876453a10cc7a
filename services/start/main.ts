/**
 * `deno task media-store`, `deno task inference`.
 *
 * @module
 */
import type { Service } from "./command.ts";
import { start } from "./start.ts";

const [service, ...args] = Deno.args as [Service, ...string[]];
start(service, args);
