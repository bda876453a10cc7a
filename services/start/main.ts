/**
 * `deno task media-store`, `deno task inference`, `deno task models`, `deno task backup`.
 *
 * @module
 */
import type { ProgramName } from "./command.ts";
import { start } from "./start.ts";

const [name, ...args] = Deno.args as [ProgramName, ...string[]];
start(name, args);
