/**
 * How a service describes its API, for people and programs: OpenAPI 3.1, made from the very schemas
 * that requests are checked with and from the types of the contract.
 *
 * @module
 */
export { type ApiDocument, apiDocument } from "./document.ts";
export { describedHeaders } from "./headers.ts";
export { type ApiPaths, type Call, json, jsonBodyOf } from "./operation.ts";
export { pageSchema } from "./page.ts";
export { problemCode } from "./problems.ts";
export { schemaOf } from "./schema_of.ts";
export { sentAs } from "./sent_as.ts";
