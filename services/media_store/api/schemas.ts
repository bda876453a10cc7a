/**
 * What media_store answers with, for its API document.
 *
 * @module
 */
import { schemaOf } from "@fovea/http/api";
import { type EntityVersion, type Item, type KnownFiles, MEDIA_TYPES } from "@fovea/contract";
import { z } from "zod";

const time = z.int().meta({ description: "ms since the epoch, UTC" });
const version = z.int().min(1).meta({ description: "1 for a new entity" });
const digest = (length: number) => z.string().regex(new RegExp(`^[0-9a-f]{${length}}$`)).nullable();

/** An entity. */
export const item = schemaOf<Item>()({
  id: z.int().min(1),
  is_collection: z.boolean(),
  label: z.string().nullable(),
  description: z.string().nullable(),
  parent_id: z.int().nullable(),
  added_date: time,
  updated_date: time,
  is_deleted: z.boolean(),
  create_date: time.nullable().meta({
    description:
      "when the picture was taken, from its EXIF; the wall clock read as UTC where that " +
      "names no zone",
  }),
  create_offset_minutes: z.int().nullable().meta({
    description: "the zone that EXIF names, minutes east of UTC; null where it names none",
  }),
  file_size: z.int().nullable().meta({ description: "bytes" }),
  height: z.int().nullable().meta({ description: "pixels as a viewer shows the picture" }),
  width: z.int().nullable().meta({ description: "pixels as a viewer shows the picture" }),
  shown_by_preview: z.boolean().nullable().meta({
    description: "thumbnails and jobs see the preview in a raw file; null of what is no picture",
  }),
  duration: z.number().nullable().meta({ description: "seconds; null for pictures" }),
  mime_type: z.string().nullable().meta({ description: "what the bytes say" }),
  type: z.enum(MEDIA_TYPES).nullable(),
  extension: z.string().nullable().meta({ description: "without the dot" }),
  md5: digest(32),
  sha256: digest(64),
  file_path: z.string().nullable().meta({ description: "relative to the store" }),
  version,
}).meta({ id: "Item", description: "an entity: a stored file, or a collection of them" });

/** What `GET /entity/{id}/versions` answers. */
export const versions = z.array(
  schemaOf<EntityVersion>()({
    version,
    transaction_id: z.int().min(1).meta({
      description: "grows with every write; what one write changed has the same",
    }),
    updated_date: time,
  }).meta({ id: "EntityVersion", description: "one step of an entity's history" }),
);

/** What `POST /entity/known` answers. */
export const knownFiles = schemaOf<KnownFiles>()({
  known: z.array(z.object({
    sha256: z.string(),
    id: z.int().min(1).meta({ description: "of the entity that has these bytes" }),
    is_deleted: z.boolean(),
  })).meta({ description: "in the order of the question; what is not here is left out" }),
}).meta({ id: "KnownFiles" });

/** What `DELETE /entity/` answers. */
export const allDeleted = z.object({
  status: z.literal("deleted"),
  deleted: z.int().meta({ description: "how many entities there were" }),
});

/** What `POST /entity/{id}/face-detection-results` answers. */
export const accepted = z.object({ status: z.literal("accepted") });
