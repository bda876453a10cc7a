/**
 * Starts another program in place of a service, with all that the service may do:
 * `start_in_place.ts SERVICE PROGRAM`, the program relative to the project.
 *
 * @module
 */
import type { Service } from "../command.ts";
import { start } from "../start.ts";

const [service, program] = Deno.args as [Service, string];
start(service, [], program);
