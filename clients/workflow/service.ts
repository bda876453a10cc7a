/**
 * One of the two services as a client reaches it: HTTP in, JSON out, every failure a
 * {@link Problem} that says what to do.
 *
 * @module
 */
import {
  connectionFailure,
  Problem,
  type ProblemCode,
  type ProblemDocument,
  PROBLEMS,
} from "@fovea/contract";
import { pause } from "./abort.ts";
import { NamedFileError, type TokenSource } from "@fovea/process/named_file";
import { publicAddress } from "@fovea/process/public_address";

/** Waits before the second and the third try of a call whose connection failed. */
const RETRY_AFTER_MS = [250, 1000];

/** What proxies answer while the service behind them is away. */
const PROXY_STATUSES = [502, 503, 504];

export interface ServiceOptions {
  name: "media_store" | "inference";
  /** Its path, if any, stands before those of the service, as behind a proxy. */
  url: URL;
  token: TokenSource;
  /** As messages name where the token comes from. */
  tokenFrom: "FOVEA_TOKEN" | "FOVEA_TOKEN_FILE";
  /** Where further issuers of certificates are to be trusted. */
  http?: Deno.HttpClient | undefined;
}

export interface Call {
  method: "GET" | "POST";
  /** From the service's root, such as `/job/`. */
  path: string;
  /** A form is sent as multipart, anything else as JSON. */
  body?: FormData | object;
  /** Its reason is thrown as it is. */
  signal: AbortSignal;
  /** False where a failed connection is not tried again. */
  retry?: boolean;
}

export class Service {
  readonly #options: ServiceOptions;
  /** Whether it has ever answered: until then its address may be wrong. */
  #reached = false;
  #away = false;
  /** Whether the last call had a token. */
  #tokenSent = false;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Its address for messages. */
  get address(): string {
    return publicAddress(this.#options.url);
  }

  /** True where it answered once, and did not when it was called last. */
  get away(): boolean {
    return this.#away;
  }

  /**
   * Calls the service and reads its JSON. Failed connections are tried again, so every call has to be
   * safe to repeat. A service that has never answered is tried a few times. One that has answered may
   * be starting again, so it is tried until the signal aborts.
   *
   * @throws {Problem} the service's own, with its name before the detail and `retry_after_s` from the
   * `Retry-After` header; `service_unreachable` where no Fovea service answers there
   */
  async call<Answer>(request: Call): Promise<{ status: number; body: Answer }> {
    const { response, text } = await this.#exchange(request);
    const body = parse(text);
    if (response.ok && body !== undefined) return { status: response.status, body: body as Answer };
    // Where the route is missing, this is another service.
    if (isProblem(body) && body.code !== "route_not_found") throw this.#problemOf(body, response);
    throw new Problem(
      "service_unreachable",
      `what answers at ${this.address} is not ${this.#options.name}: it met ${request.method} ` +
        `${request.path} with status ${response.status}: ${this.#hint()}`,
    );
  }

  /**
   * The same, once more after the pause that the service asks for, as long as it answers by this
   * code.
   *
   * @throws {Problem} as {@link Service.call}, but for that code
   */
  async callWhileBusy<Answer>(
    request: Call,
    busy: ProblemCode,
  ): Promise<{ status: number; body: Answer }> {
    for (;;) {
      try {
        return await this.call(request);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== busy) throw error;
        await pause(1000 * Number(error.members.retry_after_s ?? 1), request.signal);
      }
    }
  }

  async #exchange(request: Call): Promise<{ response: Response; text: string }> {
    for (let tries = 0;; tries++) {
      let failure: unknown;
      try {
        const response = await this.#send(request);
        const text = await response.text();
        if (!this.#reached || !isProxyAnswer(response, text)) {
          this.#away = false;
          this.#reached ||= response.ok;
          return { response, text };
        }
        failure = new Error(`a proxy answers with status ${response.status}`);
      } catch (error) {
        request.signal.throwIfAborted();
        if (error instanceof Problem || error instanceof NamedFileError) throw error;
        failure = error;
      }
      this.#away = this.#reached;
      const waitMs = RETRY_AFTER_MS[tries] ?? (this.#reached ? RETRY_AFTER_MS.at(-1) : undefined);
      if (waitMs === undefined || request.retry === false) throw this.#unreachable(failure);
      await pause(waitMs, request.signal);
    }
  }

  async #send({ method, path, body, signal }: Call): Promise<Response> {
    const { url, token, http } = this.#options;
    const headers = new Headers({ Accept: "application/json" });
    const bearer = await token();
    this.#tokenSent = bearer !== undefined;
    if (bearer !== undefined) headers.set("Authorization", `Bearer ${bearer}`);
    const init: RequestInit & { client?: Deno.HttpClient } = { method, headers, signal };
    if (http !== undefined) init.client = http;
    if (body instanceof FormData) {
      init.body = body;
    } else if (body !== undefined) {
      headers.set("Content-Type", "application/json");
      init.body = JSON.stringify(body);
    }
    return await fetch(new URL(url.pathname.replace(/\/$/, "") + path, url), init);
  }

  #problemOf(document: ProblemDocument, response: Response): Problem {
    const { type: _type, title: _title, status: _status, detail, code, ...members } = document;
    const seconds = Number(response.headers.get("Retry-After"));
    if (seconds > 0) members.retry_after_s = seconds;
    const hint = code === "unauthorized" ? `: ${this.#tokenHint()}` : "";
    return new Problem(code, `${this.#options.name}: ${detail}${hint}`, members);
  }

  #unreachable(error: unknown): Problem {
    return new Problem(
      "service_unreachable",
      `${this.#options.name} can't be reached at ${this.address}: ${certificateHint(error)}: ` +
        this.#hint(),
    );
  }

  #tokenHint(): string {
    if (this.#options.tokenFrom === "FOVEA_TOKEN_FILE") {
      return this.#tokenSent
        ? "see the token in the file that FOVEA_TOKEN_FILE names"
        : "the file that FOVEA_TOKEN_FILE names is empty: put a token for it there";
    }
    return this.#tokenSent ? "see the token in FOVEA_TOKEN" : "set FOVEA_TOKEN to a token for it";
  }

  #hint(): string {
    const option = this.#options.name.replace("_", "-");
    return `is it running (./fovea ${option})? give another address with --${option}`;
  }
}

/** Why a connection failed; what can be done about a certificate is an option of the clients. */
export function certificateHint(error: unknown): string {
  const reason = connectionFailure(error);
  return reason.startsWith("its certificate")
    ? "its certificate is not trusted here: --ca-file names a file of further issuers"
    : reason;
}

function isProxyAnswer(response: Response, text: string): boolean {
  return PROXY_STATUSES.includes(response.status) && !isProblem(parse(text));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(body: unknown): body is ProblemDocument {
  const { code, detail } = (body ?? {}) as Partial<ProblemDocument>;
  return typeof code === "string" && Object.hasOwn(PROBLEMS, code) && typeof detail === "string";
}
