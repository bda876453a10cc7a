/** Weights on this machine, verified. */
export interface ModelFile {
  name: string;
  sha256: string;
  path: string;
}
