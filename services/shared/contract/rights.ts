/**
 * Who may make which call with AUTH_MODE=jwt: the one table.
 *
 * @module
 */

/**
 * What a call wants of its caller: nothing (`open`), a token where READ_AUTH_ENABLED (`read`), a token
 * whatever the settings are (`token`), or a token with that claim. `is_admin` includes all claims.
 */
export type Right =
  | "open"
  | "read"
  | "token"
  | "ai_inference_support"
  | "media_store_write"
  | "is_admin";

/** By method and path as routes have it; HEAD is GET. What stands nowhere here is refused. */
export type Rights = Readonly<Record<string, Right>>;

/** What every service says of itself. */
const SELF: Rights = {
  "GET /": "open",
  "GET /health": "open",
  "GET /health/ready": "open",
  "GET /docs": "open",
  "GET /docs/:file": "open",
  "GET /openapi.json": "open",
  "GET /metrics": "read",
};

export const MEDIA_STORE_RIGHTS: Rights = {
  ...SELF,
  "GET /entity": "read",
  "GET /entity/:id": "read",
  "GET /entity/:id/image": "read",
  "GET /entity/:id/thumbnail": "read",
  "GET /entity/:id/versions": "read",
  "GET /entity/columns": "read",
  // A question whose list is too long for an address.
  "POST /entity/known": "read",
  "GET /changes": "read",
  "GET /changes/stream": "read",
  "GET /store": "read",
  "POST /entity": "media_store_write",
  "PUT /entity/:id": "media_store_write",
  "PATCH /entity/:id": "media_store_write",
  "DELETE /entity/:id": "media_store_write",
  "POST /entity/:id/face-detection-results": "media_store_write",
  "DELETE /entity": "is_admin",
};

export const INFERENCE_RIGHTS: Rights = {
  ...SELF,
  "GET /info": "open",
  // The broker asks for the token: an MQTT client sends it as its password.
  "GET /mqtt": "open",
  "GET /events": "read",
  "GET /job": "read",
  "GET /job/:job_id": "read",
  "POST /job/:task_type": "ai_inference_support",
  "POST /job/:job_id/retry": "ai_inference_support",
  "DELETE /job/:job_id": "ai_inference_support",
  "GET /admin/stats": "is_admin",
  "POST /admin/retry": "is_admin",
  "DELETE /admin/cleanup": "is_admin",
};
