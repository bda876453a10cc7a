/**
 * Everything that can go wrong, in one closed table: HTTP statuses, exit codes of the command-line
 * clients, whether trying again can help, and the error part of events all follow from a code here.
 *
 * @module
 */

interface ProblemKind {
  /** HTTP status of an answer with this code; for a job's or a client's own code, the nearest one. */
  status: number;
  title: string;
  /** Exit code of a command-line client that ends with it. */
  exit: number;
  /** True where the same call may well succeed later; only such failures of a job are retried. */
  transient: boolean;
}

/** Exit codes of the command-line clients. */
export const EXIT = {
  ok: 0,
  jobFailed: 1,
  usage: 2,
  timedOut: 3,
  unreachable: 4,
  someFailed: 5,
} as const;

const refused = (status: number, title: string): ProblemKind => ({
  status,
  title,
  exit: EXIT.jobFailed,
  transient: false,
});
const passing = (status: number, title: string, exit: number = EXIT.jobFailed): ProblemKind => ({
  status,
  title,
  exit,
  transient: true,
});

const KINDS = {
  // A request of the wrong shape, or with a value out of its range: 422; against a rule: 400.
  invalid_parameter: refused(422, "Invalid parameter"),
  unknown_task_type: refused(400, "Unknown task type"),
  priority_out_of_range: refused(400, "Priority out of range"),
  missing_field: refused(422, "Missing field"),
  missing_file: refused(400, "File missing"),
  unexpected_file: refused(400, "File not expected"),
  invalid_parent: refused(400, "Not possible as a parent"),
  is_collection_fixed: refused(400, "Stays what it is"),
  malformed_body: refused(422, "Malformed body"),
  broken_body: refused(400, "Body broken off"),
  unsupported_content_type: refused(415, "Content type not taken"),
  unsupported_content_encoding: refused(415, "Content encoding not taken"),
  route_not_found: refused(404, "No such route"),
  upgrade_required: refused(426, "Upgrade required"),
  method_not_allowed: refused(405, "Method not for this path"),

  // Who may do what.
  unauthorized: refused(401, "Not authenticated"),
  forbidden: refused(403, "Not allowed"),
  unknown_host: refused(421, "Called under an unknown name"),
  foreign_origin: refused(403, "Called by a foreign page"),

  // Entities and files.
  entity_not_found: refused(404, "No such entity"),
  version_not_found: refused(404, "No such version"),
  precondition_failed: refused(412, "Changed meanwhile"),
  entity_has_no_file: refused(404, "Entity has no file"),
  duplicate_file: refused(409, "File already stored"),
  diverged: refused(409, "Store has gone another way"),
  no_thumbnail: refused(404, "No thumbnail"),
  range_not_satisfiable: refused(416, "Range not satisfiable"),
  empty_file: refused(400, "Empty file"),
  upload_stalled: passing(408, "Upload stalled"),
  upload_too_large: refused(413, "Upload too large"),
  unsupported_media: refused(415, "Unsupported media"),
  storage_full: passing(507, "Storage full"),
  service_busy: passing(503, "Service busy"),
  storage_missing: passing(503, "Storage missing", EXIT.unreachable),

  // Pictures.
  image_unreadable: refused(422, "Picture can't be read"),
  image_truncated: refused(422, "Picture is cut off"),
  image_too_large: refused(422, "Picture too large"),
  image_too_small: refused(422, "Picture too small"),

  // Jobs.
  job_not_found: refused(404, "No such job"),
  job_id_taken: refused(409, "Job id already used"),
  job_not_failed: refused(409, "Job did not end in error"),
  queue_full: passing(429, "Queue full"),
  model_unavailable: passing(503, "Model unavailable"),
  deadline_exceeded: refused(504, "Deadline exceeded"),
  worker_lost: passing(500, "Worker lost"),
  poisoned: refused(500, "Job ended its worker, or the service, again and again"),
  cancelled: refused(409, "Cancelled"),

  // Others that are needed.
  media_store_unreachable: passing(503, "media_store can't be reached", EXIT.unreachable),
  media_store_error: passing(502, "media_store answered wrongly"),

  // Only clients say these.
  usage: { status: 400, title: "Wrong usage", exit: EXIT.usage, transient: false },
  timed_out: { status: 504, title: "Timed out", exit: EXIT.timedOut, transient: true },
  service_unreachable: passing(503, "Service can't be reached", EXIT.unreachable),
  broker_unreachable: passing(503, "Broker can't be reached", EXIT.unreachable),

  not_ready: passing(503, "Not ready", EXIT.unreachable),
  internal_error: passing(500, "Internal error"),
} satisfies Record<string, ProblemKind>;

/** The closed union of codes. */
export type ProblemCode = keyof typeof KINDS;

/** What follows from each code. */
export const PROBLEMS: Readonly<Record<ProblemCode, Readonly<ProblemKind>>> = KINDS;

/** Body of every error answer: RFC 9457 problem details, media type `application/problem+json`. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  /** Further members of single codes, such as `entity_id` of `duplicate_file`. */
  [member: string]: unknown;
}

/**
 * The one class that is thrown for all of them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Problem } from "@fovea/contract";
 *
 * const problem = new Problem("image_too_large", "picture is 9000 × 9000 pixels: too many");
 * assert.equal(problem.document().status, 422);
 * assert.equal(problem.transient, false);
 * ```
 */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly members: Record<string, unknown>;

  /**
   * @param detail what was met, what was wrong with it, what is allowed; no path of the server
   * @param members further members of the answer
   */
  constructor(code: ProblemCode, detail: string, members: Record<string, unknown> = {}) {
    super(detail);
    this.name = "Problem";
    this.code = code;
    this.members = members;
  }

  get transient(): boolean {
    return PROBLEMS[this.code].transient;
  }

  document(): ProblemDocument {
    const { status, title } = PROBLEMS[this.code];
    return {
      type: `urn:fovea:problem:${this.code}`,
      title,
      status,
      detail: this.message,
      code: this.code,
      ...this.members,
    };
  }
}
