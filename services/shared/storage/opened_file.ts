/**
 * A file as it was opened. Where its folder was moved away since, or its disk unmounted, what is
 * written goes where nobody will look for it, or nowhere, and no error says so. [note: still there]
 * Therefore nothing is written unless the path still leads to the file that is open. The service
 * lives on: one that started anew would begin with nothing in an empty folder; when the folder is
 * back, all is as before.
 *
 * @module
 */
import { Problem } from "@fovea/contract";
import type { Logger } from "@fovea/process/log";

export class OpenedFile {
  readonly #path: string;
  readonly #identity: string;

  /** @param path of a file that has just been opened */
  constructor(path: string) {
    this.#path = path;
    this.#identity = identityOf(path);
  }

  get isThere(): boolean {
    try {
      this.require();
      return true;
    } catch {
      return false;
    }
  }

  /** @throws {Problem} `storage_missing` where the path leads to no file, or to another one */
  require(): void {
    let identity: string;
    try {
      identity = identityOf(this.#path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new Problem(
        "storage_missing",
        "DATA_DIR is not where it was when the service started: nothing is written until it is back",
      );
    }
    if (identity === this.#identity) return;
    throw new Problem(
      "storage_missing",
      "DATA_DIR is another one than when the service started: nothing is written to it: put the " +
        "right one back, or start the service anew to use this one",
    );
  }
}

/** Between two looks whether a file is still there, milliseconds. */
const LOOK_MS = 10_000;

/**
 * Says in the log when a file has gone from its place, and when it is back.
 *
 * @param path of a file that has just been opened
 * @returns ends it when disposed of
 */
export function watchFile(path: string, log: Logger): Disposable {
  const file = new OpenedFile(path);
  let wasThere = true;
  const timer = setInterval(() => {
    if (file.isThere === wasThere) return;
    wasThere = !wasThere;
    if (wasThere) log.info({ path }, "DATA_DIR is back: writing goes on");
    else log.error({ path }, "DATA_DIR was moved away or replaced: nothing is written");
  }, LOOK_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function identityOf(path: string): string {
  const { dev, ino } = Deno.statSync(path);
  return `${dev} ${ino}`;
}
