/**
 * From C to WebAssembly, by Debian's clang-19 and lld-19: the same bytes wherever these are.
 *
 * @module
 */

/** Of kernels that are told where everything lies: nothing is linked in, and nothing lies in memory but a stack. */
const FLAGS = [
  "--target=wasm32",
  "-O3",
  "-msimd128",
  "-ffreestanding",
  "-nostdlib",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-Wl,--no-entry",
  "-Wl,--import-memory",
  "-Wl,--stack-first",
  "-Wl,-z,stack-size=1024",
  "-Wl,--strip-all",
];

/**
 * Compiles all C files of a folder together.
 *
 * @param flags besides those that all kernels are compiled with
 * @throws {Error} what the compiler says
 */
export async function compile(folder: URL, output: string, flags: string[] = []): Promise<void> {
  const sources = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.endsWith(".c")).sort();
  const { success, stderr } = await new Deno.Command("clang-19", {
    args: [...FLAGS, ...flags, "-o", output, ...sources],
    cwd: folder,
  }).output();
  if (!success) {
    throw new Error(`Cannot compile ${folder.pathname}: ${new TextDecoder().decode(stderr)}`);
  }
  await Deno.chmod(output, 0o644); // the linker takes it for a program
}
