import type { ModelUsed } from "@fovea/contract";

/**
 * Names the space in which results of a task can be compared: the model's weights, the version of the
 * preprocessing, the precision. Results of two spaces are answers to two questions.
 */
export function spaceOf({ sha256, preprocess, precision }: ModelUsed): string {
  return `${sha256} ${preprocess} ${precision}`;
}
