/**
 * What a process takes of the machine, as Linux counts it.
 *
 * @module
 */

/** Bytes that lie in memory (proc_pid_statm(5), second figure, pages of 4096 bytes). */
export async function residentMemory(pid: number): Promise<number> {
  const [, resident] = (await Deno.readTextFile(`/proc/${pid}/statm`)).split(" ");
  return Number(resident) * 4096;
}

/** Seconds of processor time so far (proc_pid_stat(5), figures 14 and 15, in hundredths). */
export async function processorTime(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name, in brackets, may have spaces in it.
  const figures = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(figures[11]) + Number(figures[12])) / 100;
}
