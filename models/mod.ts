/**
 * Which models there are, and how to get them. Other members import nothing else of this folder.
 *
 * @module
 */
export { FETCH_PROGRAM, fetchInChildProcess } from "./child_process/fetch_in_child_process.ts";
export { fetchModel, type FetchOptions, findModel, ModelUnavailable } from "./fetch_model.ts";
export { modelChoices, type ModelEntry, MODELS, modelsFor } from "./manifest.ts";
export { modelsPermissions } from "./permissions.ts";
export { TransferRate } from "./transfer_rate.ts";
