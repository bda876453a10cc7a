/**
 * The calls by which others follow what happens to entities, as the API document shows them.
 *
 * @module
 */
import { type ApiPaths, describedHeaders, json, schemaOf } from "@fovea/http/api";
import type {
  ChangePage,
  ChangePosition,
  EntityChanged,
  EntityDeleted,
  StorePosition,
} from "@fovea/contract";
import { z } from "zod";
import { changesQuery, streamQuery } from "../changes/routes.ts";
import { columnsQuery } from "../columns/routes.ts";
import { storeQuery } from "../entities/store_routes.ts";
import { item } from "./schemas.ts";

const tag = "changes";

const transactionTag = z.string().meta({ description: "random, its own for each transaction" });

/** What `GET /store` answers. */
const position = schemaOf<StorePosition>()({
  store_id: z.uuid().meta({ description: "which store this is" }),
  transaction_id: z.int().min(0).meta({
    description: "of the last change; 0 where there was none",
  }),
  tag: transactionTag,
}).meta({ id: "StorePosition", description: "which store this is, and how far it has come" });

const { shape } = item;
const place = {
  id: shape.id,
  transaction_id: z.int().min(1).meta({ description: "of the last change of this entity" }),
  tag: transactionTag,
};

const changed = schemaOf<EntityChanged>()({
  change: z.enum(["created", "updated"]),
  ...place,
  version: shape.version,
  is_collection: shape.is_collection,
  type: shape.type,
  mime_type: shape.mime_type,
  sha256: shape.sha256,
  width: shape.width,
  height: shape.height,
  file_size: shape.file_size,
  parent_id: shape.parent_id,
  added_date: shape.added_date,
  create_date: shape.create_date,
  is_deleted: shape.is_deleted,
}).meta({ id: "EntityChanged", description: "an entity as its last change left it" });

const deleted = schemaOf<EntityDeleted>()({ change: z.literal("deleted"), ...place })
  .meta({ id: "EntityDeleted", description: "an entity that was deleted for good" });

const changePage = schemaOf<ChangePage>()({
  store_id: z.uuid(),
  changes: z.array(z.union([changed, deleted])),
  next: schemaOf<ChangePosition>()({
    after: z.int().min(0),
    after_id: z.int().min(1).optional(),
    tag: transactionTag,
  }).meta({ description: "what to send next time" }),
  has_more: z.boolean(),
}).meta({ id: "ChangePage" });

const DIVERGED = "`diverged` says that this store has never been at that place, as after a " +
  "restore: the same ids may mean other entities by now, and one has to start over.";

export const changePaths: ApiPaths = {
  "/changes": {
    get: {
      id: "listChanges",
      tag,
      summary: "What happened to entities since one looked last",
      description:
        "Each entity comes once, as its last change left it, and each that was deleted " +
        `for good once, in the order of transactions. Send \`next\` the next time. ${DIVERGED}`,
      parameters: { query: changesQuery },
      answers: { 200: json(changePage, "oldest first") },
      problems: ["invalid_parameter", "diverged"],
    },
  },
  "/changes/stream": {
    get: {
      id: "followChanges",
      tag,
      summary: "The same as server-sent events, as it happens",
      description:
        "The first event, named `store`, says with `store_id` which store this is. Each other " +
        "event is an entry of `GET /changes`. It begins behind `after` and `tag`, " +
        `or behind \`Last-Event-ID\`, and without them with what is yet to come. ${DIVERGED}`,
      parameters: {
        query: streamQuery,
        header: z.object({
          "Last-Event-ID": z.string().optional().meta({
            description: "the id of the last event that one has had; browsers send it",
          }),
        }),
      },
      answers: {
        200: {
          description: "events, until one of the two hangs up",
          content: { "text/event-stream": { schema: { type: "string" as const } } },
        },
      },
      problems: ["invalid_parameter", "diverged"],
    },
  },
  "/entity/columns": {
    get: {
      id: "getColumns",
      tag,
      summary: "The whole library as columns of numbers",
      description: "Four bytes (uint32, little endian) say how long the header is. The header is " +
        "JSON: how many rows there are, the place in the feed of changes, and name, type and " +
        "offset of each column behind it. 0 or NaN is none.",
      parameters: {
        query: columnsQuery,
        header: z.object({
          "If-None-Match": z.string().optional().meta({ description: "an ETag one has already" }),
        }),
      },
      answers: {
        200: {
          description: "in the order of ids",
          ...describedHeaders({ ETag: "another one after each change" }),
          content: {
            "application/octet-stream": { schema: { type: "string" as const, format: "binary" } },
          },
        },
        304: {
          description: "nothing has changed",
          ...describedHeaders({ ETag: "another one after each change" }),
        },
      },
      problems: ["invalid_parameter"],
    },
  },
  "/store": {
    get: {
      id: "store",
      tag,
      summary: "Which store this is, and how far it has come",
      description: "Whoever keeps something by the ids of entities remembers the answer, and " +
        `sends it the next time as \`after\` and \`tag\`. ${DIVERGED}`,
      parameters: { query: storeQuery },
      answers: { 200: json(position, "the store after its last change") },
      problems: ["invalid_parameter", "diverged"],
    },
  },
};
