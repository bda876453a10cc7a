/**
 * Brings results to media_store, at least once each. It does something only when it is woken for
 * a new result, or when one that failed is due again; what is on its way survives a restart.
 *
 * @module
 */
import type { Logger } from "@fovea/process/log";
import { Problem } from "@fovea/contract";
import type { Kysely } from "kysely";
import { type Backoff, pauseBefore } from "@fovea/process/backoff";
import type { EventTransactions } from "../jobs/event_transactions.ts";
import type { Tables } from "../database/tables.ts";
import type { MediaStore } from "../media_store.ts";
import { TASKS } from "../tasks/list.ts";
import { postResult } from "./post_result.ts";
import { type Delivery, DeliveryRepository } from "./repository.ts";

export interface ResultDeliveryOptions {
  db: Kysely<Tables>;
  transactions: EventTransactions;
  mediaStore: MediaStore;
  now: () => number;
  /** 0…1. */
  random: () => number;
  log: Logger;
}

/** Between two tries of one result. */
export const DELIVERY_PAUSE: Backoff = { firstMs: 1000, factor: 2, maxMs: 60_000 };

/** After so many tries the job says that its result has not arrived; trying goes on. */
export const TRIES_UNTIL_FAILED = 4;

/** How many results are on their way at once. */
const MOST_AT_ONCE = 4;

/** Before the database, which could not be read or written, is tried again. */
const RETRY_MS = 1000;

export class ResultDelivery {
  readonly #options: ResultDeliveryOptions;
  readonly #deliveries: DeliveryRepository;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();
  /** media_store was away at the last try: when it answers again it will take the others too. */
  #unreachable = false;
  #looking: Promise<void> | undefined;
  #woken = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ResultDeliveryOptions) {
    this.#options = options;
    this.#deliveries = new DeliveryRepository(options.db);
  }

  /** Says that there may be something to deliver. */
  wake(): void {
    this.#woken = true;
    if (this.#stopped.signal.aborted || this.#retryTimer !== undefined) return;
    this.#looking ??= this.#look().catch((error) => this.#retryLater(error)).finally(() => {
      this.#looking = undefined;
      if (this.#woken) this.wake();
    });
  }

  /** How many results are still to be delivered. */
  async pending(): Promise<number> {
    return await this.#deliveries.count();
  }

  /** Breaks off what is on its way; it is tried again after the next start. */
  async close(): Promise<void> {
    this.#stopped.abort(new Error("service is ending"));
    clearTimeout(this.#timer);
    clearTimeout(this.#retryTimer);
    await Promise.all([this.#looking, ...this.#underWay.values()]);
  }

  async #look(): Promise<void> {
    const { now } = this.#options;
    while (this.#woken && !this.#stopped.signal.aborted) {
      this.#woken = false;
      // As many as may be under way, and as many that are not.
      for (const delivery of await this.#deliveries.first(2 * MOST_AT_ONCE)) {
        if (this.#underWay.has(delivery.job_id)) continue;
        // A delivery that is done makes room, and looks again.
        if (this.#underWay.size === MOST_AT_ONCE) return;
        const leftMs = delivery.due_at - now();
        // None is ever put off for longer: one that seems so is from before the clock was set back.
        if (leftMs > 0 && leftMs <= DELIVERY_PAUSE.maxMs) {
          this.#wakeAfter(leftMs);
          break;
        }
        this.#begin(delivery);
      }
    }
  }

  #begin(delivery: Delivery): void {
    const { job_id } = delivery;
    const done = this.#deliver(delivery).catch((error) => this.#retryLater(error)).finally(() => {
      this.#underWay.delete(job_id);
      this.wake();
    });
    this.#underWay.set(job_id, done);
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { mediaStore, transactions, now, log } = this.#options;
    const { job_id, media_store_id } = delivery;
    try {
      await postResult(mediaStore, delivery, this.#stopped.signal);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      if (error.transient) return await this.#postpone(delivery, error);
      log.warn(
        { job_id, media_store_id, reason: error.message },
        `${whatOf(delivery)} can't be delivered`,
      );
    }
    const isBack = this.#unreachable;
    this.#unreachable = false;
    await transactions.run(async ({ transaction }) => {
      const deliveries = new DeliveryRepository(transaction);
      await deliveries.end(job_id);
      if (isBack) await deliveries.allDue(now());
    });
  }

  async #postpone(delivery: Delivery, why: Problem): Promise<void> {
    const { transactions, now, random, log } = this.#options;
    const { job_id, media_store_id } = delivery;
    const attempt = delivery.attempt + 1;
    const pauseMs = pauseBefore(DELIVERY_PAUSE, attempt, random);
    if (why.code === "media_store_unreachable") this.#unreachable = true;
    if (attempt === TRIES_UNTIL_FAILED) {
      log.warn(
        { job_id, media_store_id, attempt, reason: why.message },
        `${whatOf(delivery)} not delivered yet: trying on`,
      );
    }
    await transactions.run(async ({ transaction }) => {
      const deliveries = new DeliveryRepository(transaction);
      await deliveries.postpone(job_id, attempt, now() + pauseMs);
      if (attempt >= TRIES_UNTIL_FAILED) await deliveries.markFailed(job_id, why);
    });
  }

  #wakeAfter(delayMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped.signal.aborted) this.#timer = setTimeout(() => this.wake(), delayMs);
  }

  #retryLater(error: unknown): void {
    if (this.#stopped.signal.aborted || this.#retryTimer !== undefined) return;
    this.#options.log.error({ err: error }, "results can't be delivered: trying again soon");
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.wake();
    }, RETRY_MS);
  }
}

function whatOf({ task_type }: Delivery): string {
  return TASKS.get(task_type).delivery!.what;
}
