/**
 * The part of the bench about jobs that have nothing to do: what the service itself costs.
 *
 * @module
 */
import { atLeast, atMost, type Measured } from "@fovea/bench/figure";
import { measureBacklog } from "./backlog.ts";
import { measureFollowers } from "./followers.ts";
import { measureIdle } from "./idle.ts";
import { measureJobPath } from "./job_path.ts";

/** Of each measurement of the job path. */
const JOBS = 4000;
const BACKLOG = 100_000;
const FOLLOWERS = 100;

export async function jobs(seconds: number): Promise<Measured> {
  const path = await measureJobPath(JOBS);
  const backlog = await measureBacklog(BACKLOG);
  const followers = await measureFollowers(FOLLOWERS);
  const idle = await measureIdle(seconds);
  return {
    figures: [
      atLeast("jobs/s, empty, from POST to event", path.jobsPerSecond, 2000),
      atMost("ms from POST to event at 100 empty jobs/s, median", path.latencyMs, 10),
      atMost("ms to claim a job of 100,000, median", backlog.claimMs, 2),
      atMost("s to start with 100,000 jobs", backlog.startUpMs / 1000, 2),
      atMost("MB that 100,000 jobs take", backlog.memory / 1e6, 50),
      atMost(`ms to submit a job, ${FOLLOWERS} followers of /events : none`, followers, 1.5),
      atMost("share of a core while idle, %", idle * 100, 1),
    ],
    details: { path, backlog, followers, idle },
  };
}
