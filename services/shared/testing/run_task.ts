/**
 * A task of the project in a process of its own, as its user runs it, to its end.
 *
 * @module
 */
export interface TaskResult {
  code: number;
  stdout: string;
  stderr: string;
}

const ROOT = new URL("../../../", import.meta.url);

/** @param env settings beside those of this process */
export async function runTask(
  task: string,
  args: string[],
  env: Record<string, string>,
): Promise<TaskResult> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", task, ...args],
    cwd: ROOT,
    env,
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return {
    code: output.code,
    stdout: text.decode(output.stdout),
    stderr: text.decode(output.stderr),
  };
}
