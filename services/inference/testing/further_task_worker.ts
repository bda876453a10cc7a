/**
 * A worker as inference has them, with one task more.
 *
 * @module
 */
import "./further_task.ts";
import "../workers/worker.ts";
