/**
 * How much of a core the service takes while it has nothing to do.
 *
 * @module
 */
import { startSuite } from "@fovea/testing/suite";
import { processUsage } from "@fovea/bench/process_usage";

/** Until the start is over in every respect. */
const SETTLING_MS = 5000;

/** @returns share of one core, 0…1 */
export async function measureIdle(seconds: number): Promise<number> {
  await using suite = await startSuite();
  await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
  const processor = async () => (await processUsage(suite.inference.url)).processor;
  const before = await processor();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return (await processor() - before) / seconds;
}
