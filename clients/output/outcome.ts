/**
 * What came of a picture, and of all of them.
 *
 * @module
 */
import { EXIT, type Job, type Problem, PROBLEMS } from "@fovea/contract";

/** What came of a picture. It has a result and a problem where only a part succeeded. */
export interface Outcome {
  file: string;
  /** Where media_store has stored it. */
  stored?: { id: number; existed: boolean; deleted: boolean };
  /** Of the job that was submitted for it. */
  jobId?: string;
  /** Once it has ended. */
  job?: Job;
  problem?: Problem;
}

/** One code for all: 0 where all went well, the common code where all failed alike, else 5. */
export function exitCode(outcomes: readonly Pick<Outcome, "problem">[]): number {
  const codes = new Set(
    outcomes.map(({ problem }) => problem === undefined ? EXIT.ok : PROBLEMS[problem.code].exit),
  );
  const [first = EXIT.ok, ...others] = codes;
  return others.length === 0 ? first : EXIT.someFailed;
}

/** How many pictures are in which state, such as "3 pictures: 1 new, 1 there, 1 there, deleted; 1 failed". */
export function countText(outcomes: readonly Outcome[]): string {
  const count = (what: string, belongs: (outcome: Outcome) => boolean | undefined) => {
    const number = outcomes.filter(belongs).length;
    return number === 0 ? [] : [`${number} ${what}`];
  };
  const places = [
    ...count("new", ({ stored }) => stored && !stored.existed),
    ...count("there", ({ stored }) => stored && stored.existed && !stored.deleted),
    ...count("there, deleted", ({ stored }) => stored?.deleted),
    ...count("not stored", ({ stored }) => stored === undefined),
  ];
  const failed = count("failed", ({ problem }) => problem !== undefined);
  return `${outcomes.length} pictures: ${[places.join(", "), ...failed].join("; ")}`;
}
