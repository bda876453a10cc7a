/** Weights on this machine, verified. */
export interface ModelFile {
  name: string;
  sha256: string;
  /** Empty for a task that has no weights. */
  path: string;
}
