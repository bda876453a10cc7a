/** A folder that is gone, with all that is in it, at the end of its block. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * @example
 * ```ts ignore
 * await using folder = await temporaryFolder();
 * await Deno.writeTextFile(`${folder.path}/notes.txt`, "here for the length of this block");
 * ```
 */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await Deno.makeTempDir({ prefix: "fovea-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
