/**
 * Both services and a broker for the clients' tests: HTTP and MQTT are real, the answers are what a
 * test makes them.
 *
 * @module
 */
import {
  type FaceDetectionResult,
  type Info,
  type Job,
  type JobEndedEvent,
  type JobRequest,
  Problem,
  type TaskType,
  TOPICS,
} from "@fovea/contract";
import { Aedes } from "aedes";
import { createServer, type Server } from "node:net";

export const FACES: FaceDetectionResult = {
  faces: [{
    face_index: 0,
    bbox: { x: 179.4, y: 62.6, width: 91.2, height: 110.8 },
    landmarks: [[204, 103], [246, 100], [227, 121], [210, 148], [243, 147]],
    confidence: 0.934,
  }],
  face_count: 1,
  image_width: 512,
  image_height: 512,
};

const MODEL = { name: "stand-in", sha256: "0".repeat(64), backend: "none", preprocess: 1 };

type Answer = Response | undefined;
type Handler = (request: Request) => Answer | Promise<Answer>;

export class StandIn implements AsyncDisposable {
  /** Every call so far, as in "POST /entity/". */
  readonly calls: string[] = [];
  /** The bearer token of each call. */
  readonly tokens: (string | null)[] = [];
  /** The user and the password of each connection to the broker, in order. */
  readonly logins: { user: string | undefined; password: string | undefined }[] = [];
  /** Whether the broker refuses every subscription. */
  refusesSubscriptions = false;
  /** Every topic that was subscribed to. */
  readonly subscriptions: string[] = [];
  readonly jobs = new Map<string, Job>();
  /** What is stored, by entity. */
  readonly entities = new Map<number, { sha256: string; is_deleted: boolean }>();
  /** Answers a call in place of the stand-in; undefined leaves the call to the stand-in. */
  handler: Handler = () => undefined;
  /** What becomes of a job that was submitted; it completes at once unless a test says otherwise. */
  onSubmit: (job: Job) => void | Promise<void> = (job) => this.complete(job);
  info: Partial<Info> = {};

  readonly #http: Deno.HttpServer<Deno.NetAddr>;
  #broker: { aedes: Aedes; server: Server; sockets: Set<{ destroy(): void }> } | undefined;
  #mqttPort = 0;

  private constructor() {
    this.#http = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  static async start(): Promise<StandIn> {
    const standIn = new StandIn();
    await standIn.startBroker();
    return standIn;
  }

  /** `host:port` of both services. */
  get address(): string {
    return `127.0.0.1:${this.#http.addr.port}`;
  }

  get mqttUrl(): string {
    return `mqtt://127.0.0.1:${this.#mqttPort}`;
  }

  /** On the port it had before; it remembers nothing. */
  async startBroker(): Promise<void> {
    const aedes = await Aedes.createBroker();
    aedes.authenticate = (_client, user, password, done) => {
      this.logins.push({ user, password: password && new TextDecoder().decode(password) });
      done(null, true);
    };
    aedes.authorizeSubscribe = (_client, subscription, done) =>
      done(null, this.refusesSubscriptions ? null : subscription);
    aedes.on("subscribe", (subscriptions) => {
      this.subscriptions.push(...subscriptions.map(({ topic }) => topic));
    });
    const sockets = new Set<{ destroy(): void }>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      aedes.handle(socket);
    });
    await new Promise<void>((resolve) => server.listen(this.#mqttPort, "127.0.0.1", resolve));
    this.#mqttPort = (server.address() as { port: number }).port;
    this.#broker = { aedes, server, sockets };
  }

  async stopBroker(): Promise<void> {
    if (this.#broker === undefined) return;
    const { aedes, server, sockets } = this.#broker;
    this.#broker = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    sockets.forEach((socket) => socket.destroy());
    await closed;
    await new Promise<void>((resolve) => aedes.close(resolve));
  }

  async complete(job: Job, result: Job["result"] = FACES): Promise<void> {
    this.end(job, { status: "completed", result });
    await this.publish(job);
  }

  /** Ends a job without an event on MQTT. */
  end(job: Job, end: Partial<Job>): void {
    const timings_ms = { queue: 1, fetch: 2, decode: 3, infer: 4, total: 10.4 };
    const sha256 = this.entities.get(job.media_store_id)?.sha256 ?? null;
    Object.assign(job, { completed_at: Date.now(), model: MODEL, timings_ms, sha256 }, end);
  }

  /** Publishes the end of a job, retained, as inference does it. */
  publish(job: Job): Promise<void> {
    const event: JobEndedEvent = {
      event: job.status === "error" ? "job_failed" : "job_completed",
      event_id: crypto.randomUUID(),
      job_id: job.job_id,
      task_type: job.task_type,
      media_store_id: job.media_store_id,
      status: job.status,
      completed_at: job.completed_at,
    };
    const packet = {
      cmd: "publish",
      topic: TOPICS.jobEnded(job.job_id),
      payload: JSON.stringify(event),
      qos: 1,
      retain: true,
      dup: false,
    } as const;
    return new Promise((resolve, reject) =>
      this.#broker?.aedes.publish(packet, (error) => error ? reject(error) : resolve())
    );
  }

  /** A job that is there before any client comes. */
  addJob(members: Partial<Job> = {}): Job {
    const job: Job = {
      job_id: crypto.randomUUID(),
      task_type: "face_detection",
      media_store_id: 1,
      status: "pending",
      priority: 5,
      created_at: Date.now(),
      started_at: null,
      completed_at: null,
      attempt: 0,
      max_attempts: 3,
      error_message: null,
      error_code: null,
      timings_ms: null,
      model: null,
      sha256: null,
      result: null,
      ...members,
    };
    this.jobs.set(job.job_id, job);
    return job;
  }

  async #answer(received: Request): Promise<Response> {
    // The body is always read to its end: a server that closes while a body is still being sent can
    // make its own answer unreadable.
    const body = received.method === "POST" ? await received.bytes() : null;
    const request = new Request(received.url, {
      method: received.method,
      headers: received.headers,
      body,
    });
    const { pathname } = new URL(request.url);
    const call = `${request.method} ${pathname}`;
    this.calls.push(call);
    this.tokens.push(request.headers.get("Authorization")?.replace("Bearer ", "") ?? null);
    const scripted = await this.handler(request);
    if (scripted !== undefined) return scripted;

    if (call === "GET /info") return Response.json({ ...this.#info(), ...this.info });
    if (call === "POST /entity/") return await this.#store(request);
    const [, , name = ""] = pathname.split("/");
    if (request.method === "POST") return await this.#submit(name as TaskType, request);
    const job = this.jobs.get(name);
    return job ? Response.json(job) : refuse(new Problem("job_not_found", "no such job"));
  }

  async #store(request: Request): Promise<Response> {
    const file = (await request.formData()).get("image") as File;
    const sha256 = await sha256Of(await file.bytes());
    for (const [id, entity] of this.entities) {
      if (entity.sha256 === sha256) return Response.json({ id, ...entity });
    }
    const id = Math.max(0, ...this.entities.keys()) + 1;
    const entity = { sha256, is_deleted: false };
    this.entities.set(id, entity);
    return Response.json({ id, ...entity }, { status: 201 });
  }

  async #submit(task_type: TaskType, request: Request): Promise<Response> {
    const { job_id, media_store_id, priority } = await request.json() as JobRequest;
    const known = this.jobs.get(job_id ?? "");
    if (known !== undefined) return Response.json(known);
    const job = this.addJob({
      task_type,
      media_store_id,
      ...(job_id !== undefined && { job_id }),
      ...(priority !== undefined && { priority }),
    });
    await this.onSubmit(job);
    return Response.json(job, { status: 201 });
  }

  #info(): Info {
    const model = { name: "stand-in", sha256: MODEL.sha256, semantic: true, licence: "MIT" };
    return {
      name: "fovea-inference",
      version: "0.0.0",
      mqtt_url: this.mqttUrl,
      mqtt_built_in: true,
      tasks: [{ task_type: "face_detection", state: "ready", model }],
      workers: 1,
      backend: "none",
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopBroker();
    await this.#http.shutdown();
  }
}

/** Lower-case hex. */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** An error answer, as the services give it. */
export function refuse(problem: Problem, headers: Record<string, string> = {}): Response {
  const document = problem.document();
  return Response.json(document, {
    status: document.status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });
}
