/**
 * What the service takes of a core while it has nothing to do.
 *
 * @module
 */
import { openHouse } from "@fovea/testing/house";
import { processorTime } from "./process.ts";

/** Until all that belongs to starting is over, milliseconds. */
const SETTLING = 5000;

/** @returns share of one core, 0…1 */
export async function measureIdle(seconds: number): Promise<number> {
  await using house = await openHouse();
  await new Promise((resolve) => setTimeout(resolve, SETTLING));
  const before = await processorTime(house.inference.pid);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return (await processorTime(house.inference.pid) - before) / seconds;
}

if (import.meta.main) console.log(await measureIdle(Number(Deno.args[0] ?? 10)));
