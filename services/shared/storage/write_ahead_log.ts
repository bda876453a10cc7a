/**
 * SQLite's write-ahead log: how large it may become, and when what it holds goes into the database's
 * own file. [note: bounded log] A commit that makes the log larger than its limit copies it into the
 * file, after which it is used anew from its beginning. What is left of it when nobody has written
 * for a moment is copied too: a file that is looked at or copied by itself has then what was written.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";

/** What a transaction that has ended outlives. */
export type Surviving = "power_cut" | "crash";

const PAGE_BYTES = 4096;

/**
 * How large the log becomes, bytes, but for one transaction. To copy it waits for the disk twice:
 * who waits for the disk at each commit (`power_cut`) hardly notices. Of who never does (`crash`),
 * inference did a tenth to a quarter fewer jobs a second where it was copied every 4 MiB, and no more
 * where only every 64.
 */
export const LOG_LIMIT_BYTES: Readonly<Record<Surviving, number>> = {
  power_cut: 1000 * PAGE_BYTES,
  crash: 4000 * PAGE_BYTES,
};

/** The pragmas that keep the log to its limit. */
export function logPragmas(surviving: Surviving): string[] {
  const limit = LOG_LIMIT_BYTES[surviving];
  return [
    "journal_mode = WAL",
    `wal_autocheckpoint = ${limit / PAGE_BYTES}`,
    // What one large transaction took is given back when the log is used anew.
    `journal_size_limit = ${limit}`,
  ];
}

/** Nobody has written for so long, at least, when the log is copied. */
const IDLE_MS = 1000;

/** Copies the log into the file when nobody writes. */
export class IdleCheckpoint implements Disposable {
  readonly #connection: DatabaseSync;
  #written = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  /** Something was written. */
  wake(): void {
    this.#written = true;
    this.#timer ??= setTimeout(() => this.#look(), IDLE_MS);
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#written || this.#connection.isTransaction) {
      this.#timer = setTimeout(() => this.#look(), IDLE_MS);
      this.#written = false;
      return;
    }
    try {
      // Waits for nobody: what a reader still needs stays in the log.
      this.#connection.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // As on a full disk. Whoever writes next is told, and has it tried again.
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
