/**
 * Every call that a service takes, from the table of rights: so no test forgets one.
 *
 * @module
 */
import { INFERENCE_RIGHTS, MEDIA_STORE_RIGHTS, type Right } from "@fovea/contract";
import type { ServiceName } from "./service.ts";

export interface ServiceCall {
  method: string;
  /** With something in place of each parameter. */
  path: string;
  right: Right;
}

const PARAMETERS: Record<string, string> = {
  id: "1",
  job_id: "00000000-0000-4000-8000-000000000000",
  task_type: "face_detection",
  file: "swagger-ui.css",
};

/** Puts something in place of each parameter, `:id` or `{id}`. */
export function filledIn(path: string): string {
  return path.replace(/:(\w+)|\{(\w+)\}/g, (_, a?: string, b?: string) => {
    const value = PARAMETERS[(a ?? b)!];
    if (value === undefined) throw new Error(`${path}: nothing is known to stand for ${a ?? b}`);
    return value;
  });
}

/** All calls of a service, those that read first. */
export function callsOf(name: ServiceName): ServiceCall[] {
  const rights = name === "media_store" ? MEDIA_STORE_RIGHTS : INFERENCE_RIGHTS;
  const calls = Object.entries(rights).map(([call, right]) => {
    const [method, path] = call.split(" ") as [string, string];
    return { method, path: filledIn(path), right };
  });
  return [
    ...calls.filter(({ method }) => method === "GET"),
    ...calls.filter(({ method }) => method !== "GET"),
  ];
}
