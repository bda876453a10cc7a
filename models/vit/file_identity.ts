/**
 * Whether an open file is still the one at a path. While a process waits for a lock on a file, another
 * one may rename or remove it.
 */
export async function isFileAt(path: string, file: Deno.FsFile): Promise<boolean> {
  try {
    const [there, held] = [await Deno.stat(path), await file.stat()];
    return there.ino === held.ino && there.dev === held.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
