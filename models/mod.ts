/**
 * Models: which there are, and how to get them. The rest of this folder is nobody else's business.
 *
 * @module
 */
export { fetchModel, type FetchOptions, findModel } from "./fetch_model.ts";
export { MODEL_SETTINGS, modelChoices, type ModelEntry, modelsFor } from "./manifest.ts";
