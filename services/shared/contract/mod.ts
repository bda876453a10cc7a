/**
 * What both sides of Fovea's wire agree on: shapes, names and codes, and nothing that runs a service.
 *
 * @module
 */
export * from "./connection_failure.ts";
export * from "./entity.ts";
export * from "./event.ts";
export * from "./fetch_failure.ts";
export * from "./info.ts";
export * from "./job.ts";
export * from "./problem.ts";
export * from "./public_message.ts";
export * from "./rights.ts";
