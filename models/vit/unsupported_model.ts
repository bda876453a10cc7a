/**
 * The one error of reading: a model that is not, wholly and certainly, an image tower. Nothing is wrong
 * with such a model; it is just to be run by something else.
 *
 * @module
 */
export class UnsupportedModel extends Error {
  override readonly name = "UnsupportedModel";

  /** @param reason what was met, and where */
  constructor(readonly reason: string, options?: ErrorOptions) {
    super(`Cannot read the model as an image tower: ${reason}`, options);
  }
}
