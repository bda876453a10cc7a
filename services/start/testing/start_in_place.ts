/**
 * Starts another program in place of a service, with all that the service may do:
 * `start_in_place.ts SERVICE PROGRAM`. The program's path is relative to the project.
 *
 * @module
 */
import type { ProgramName } from "../command.ts";
import { start } from "../start.ts";

const [name, program] = Deno.args as [ProgramName, string];
start(name, [], program);
