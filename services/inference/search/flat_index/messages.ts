/**
 * What an index and its scanning threads say to each other.
 *
 * @module
 */
import type { QueryCodes } from "./codes.ts";

export interface ScanSetup {
  memory: WebAssembly.Memory;
  dimension: number;
  /** From 0: this thread looks into every `threads`th segment, from this one on. */
  thread: number;
  threads: number;
}

/** Scores are to be made of all rows, and the best told. */
export interface ScanRequest {
  kind: "scan";
  query: QueryCodes;
  segments: number;
  /** Rows at most. */
  limit: number;
  /** Rows are left out whose score is above this for certain. */
  below: number;
}

/** Of the scores that the last scan has made, all that may lie in a range are asked for. */
export interface RangeRequest {
  kind: "range";
  from: number;
  below: number;
}

/** Scores from codes by slot, in no order. */
export interface ScoredSlots {
  slots: Int32Array<ArrayBuffer>;
  scores: Float64Array<ArrayBuffer>;
}

export interface ScanReply extends ScoredSlots {
  /** Rows that the mask leaves, with the sum of their scores and of the squares of these. */
  eligible: number;
  sum: number;
  squares: number;
}

export type ScanThreadRequest = ScanRequest | RangeRequest;
export type ScanThreadReply = ScanReply | ScoredSlots;
