/**
 * Whether a job is let into the queue: every job is, until the queue is full.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import type { Transaction } from "kysely";
import { QueueRepository } from "./queue.ts";
import type { ServiceRate } from "./service_rate.ts";
import type { Tables } from "../database/tables.ts";

/** The part of the queue that is to have become free before a refused client comes again. */
const FREE_SHARE = 0.01;

/** Seconds until a refused client may come again: at most, and while nothing is known of the pace. */
const MAX_RETRY_AFTER = 300;
const UNKNOWN_RETRY_AFTER = 10;

export class Admission {
  readonly limit: number;
  readonly #rate: ServiceRate;

  /** @param limit how many jobs may wait */
  constructor(limit: number, rate: ServiceRate) {
    this.limit = limit;
    this.#rate = rate;
  }

  /** How many more jobs may come. */
  async room(transaction: Transaction<Tables>): Promise<number> {
    return Math.max(0, this.limit - await new QueueRepository(transaction).depth());
  }

  /** @throws {Problem} `queue_full`, with the seconds after which trying again makes sense */
  async admit(transaction: Transaction<Tables>): Promise<void> {
    const depth = await new QueueRepository(transaction).depth();
    if (depth < this.limit) return;
    const seconds = this.#retryAfter();
    throw new Problem(
      "queue_full",
      `${depth} jobs wait, of ${this.limit} allowed: try again in ${seconds} s`,
      { queue_depth: depth, queue_limit: this.limit, retry_after_s: seconds },
    );
  }

  /** How long the hundredth part of the queue takes at the measured pace, seconds. */
  #retryAfter(): number {
    const { perSecond } = this.#rate;
    if (perSecond === 0) return UNKNOWN_RETRY_AFTER;
    const seconds = Math.ceil(Math.max(1, this.limit * FREE_SHARE) / perSecond);
    return Math.min(MAX_RETRY_AFTER, Math.max(1, seconds));
  }
}
