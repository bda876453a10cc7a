/**
 * What a service's process takes of the machine, as it says itself.
 *
 * @module
 */

export interface ProcessUsage {
  /** Bytes that lie in memory. */
  memory: number;
  /** Seconds of processor time so far, all threads together. */
  processor: number;
}

/** @param url of a service */
export async function processUsage(url: string): Promise<ProcessUsage> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const figure = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics)![1]);
  return {
    memory: figure("process_resident_memory_bytes"),
    processor: figure("process_cpu_seconds_total"),
  };
}
