/**
 * `deno task media-store` with options, for tests: in a process of its own, as its user runs it.
 *
 * @module
 */
export interface CareResult {
  code: number;
  stdout: string;
  stderr: string;
}

export async function runCare(dataDir: string, ...options: string[]): Promise<CareResult> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "media-store", ...options],
    cwd: new URL("../../../", import.meta.url),
    env: { DATA_DIR: dataDir },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return {
    code: output.code,
    stdout: text.decode(output.stdout),
    stderr: text.decode(output.stderr),
  };
}
