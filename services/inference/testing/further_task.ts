/**
 * Registers {@link meanColour} beside the tasks that there are: the line that would stand in list.ts.
 *
 * @module
 */
import { TASKS } from "../tasks/list.ts";
import { meanColour } from "./mean_colour.ts";

TASKS.add(meanColour);
