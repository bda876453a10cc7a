/**
 * The tables of inference and how they came to be. Each owner's are in a file of their own, and only
 * the owner writes SQL for them, but for queries that join them with a job's.
 *
 * @module
 */
import type { Migration } from "kysely/migration";
import { DELIVERY_MIGRATIONS, type DeliveryTables } from "./delivery.ts";
import { EVENT_MIGRATIONS, type EventTables } from "./events.ts";
import { FOLLOWED_STORE_MIGRATIONS, type FollowedStoreTables } from "./followed_store.ts";
import { JOB_MIGRATIONS, type JobTables } from "./jobs.ts";
import { migrationsOf } from "./migrations.ts";
import { VECTOR_MIGRATIONS, type VectorTables } from "./vectors.ts";

export interface Tables
  extends JobTables, VectorTables, EventTables, DeliveryTables, FollowedStoreTables {}

export const MIGRATIONS: Record<string, Migration> = migrationsOf([
  JOB_MIGRATIONS,
  VECTOR_MIGRATIONS,
  EVENT_MIGRATIONS,
  DELIVERY_MIGRATIONS,
  FOLLOWED_STORE_MIGRATIONS,
]);
