/** An entity of media_store: a stored file, or a collection of them. Times are ms since the epoch, UTC. */
export interface Item {
  id: number;
  is_collection: boolean;
  label: string | null;
  description: string | null;
  parent_id: number | null;
  added_date: number;
  updated_date: number;
  is_deleted: boolean;
  /** When the picture was taken, from its EXIF block. Where that names no zone: its wall clock read as UTC. */
  create_date: number | null;
  /** The zone that EXIF names for `create_date`, minutes east of UTC; null where it names none. */
  create_offset_minutes: number | null;
  /** Bytes. */
  file_size: number | null;
  /** Pixels as a viewer shows the picture: EXIF orientation applied. */
  height: number | null;
  width: number | null;
  /**
   * Whether thumbnails and jobs see the preview that a camera put into its raw file, and not the
   * picture itself; null of what is no picture.
   */
  shown_by_preview: boolean | null;
  /** Seconds; null for pictures. */
  duration: number | null;
  /** What the bytes say, never what the uploader said. */
  mime_type: string | null;
  type: MediaType | null;
  /** Without the dot. */
  extension: string | null;
  /** Lower-case hex. */
  md5: string | null;
  sha256: string | null;
  /** Relative to the store. */
  file_path: string | null;
  /** 1 for a new entity. */
  version: number;
}

/** What an Item's `type` may be. */
export const MEDIA_TYPES = ["image", "video", "audio", "document"] as const;
export type MediaType = typeof MEDIA_TYPES[number];

/** One step of an entity's history. */
export interface EntityVersion {
  /** From 1, without gaps. */
  version: number;
  /** Grows with every write; versions of several entities that one write made have the same. */
  transaction_id: number;
  /** Milliseconds since the epoch, UTC. */
  updated_date: number;
}

/** Which store this is, and how far it has come. */
export interface StorePosition {
  /** UUID. */
  store_id: string;
  /** Of the last change; 0 where there was none. */
  transaction_id: number;
  /** Random, its own for each transaction. */
  tag: string;
}

/** Of every entry of `GET /changes`. */
interface ChangeBase {
  id: number;
  /** Of the last change of this entity. */
  transaction_id: number;
  /** Random, its own for each transaction. */
  tag: string;
}

/** An entity as its last change left it. */
export interface EntityChanged extends
  ChangeBase,
  Pick<
    Item,
    | "version"
    | "is_collection"
    | "type"
    | "mime_type"
    | "sha256"
    | "width"
    | "height"
    | "file_size"
    | "parent_id"
    | "added_date"
    | "create_date"
    | "is_deleted"
  > {
  /** `created`: it is at its first version. */
  change: "created" | "updated";
}

/** What is left of an entity that was deleted for good: its id, which is never given again. */
export interface EntityDeleted extends ChangeBase {
  change: "deleted";
}

/** An entry of `GET /changes`. An entity has one at most: its last. */
export type EntityChange = EntityChanged | EntityDeleted;

/** A place in the feed of changes: everything up to it has been seen. */
export interface ChangePosition {
  /** A transaction. */
  after: number;
  /** Of the entities that it changed, the last one that was seen; left out, all of them were. */
  after_id?: number | undefined;
  /** Of the transaction. */
  tag: string;
}

/** Answer of `GET /changes`. */
export interface ChangePage {
  /** UUID. */
  store_id: string;
  /** By transaction, then by id. */
  changes: EntityChange[];
  /** What to send next time. */
  next: ChangePosition;
  /** Whether there is more behind `next` by now. */
  has_more: boolean;
}

/** Of the answer of `GET /entity/columns`: what the bytes behind it are. */
export interface ColumnsHeader {
  /** How many entities; each column has a value for each, in the order of ids. */
  rows: number;
  /** Everything up to here is in the columns; what comes later is told by `GET /changes`. */
  position: StorePosition;
  /** What the numbers of the column `type` mean: 1 is the first, 0 is none. */
  media_types: readonly MediaType[];
  columns: {
    name: string;
    type: "uint8" | "uint32" | "float64";
    /** Bytes between the end of the header and the column's first value. */
    offset: number;
  }[];
}

/** Answer of `POST /entity/known`. */
export interface KnownFiles {
  /** In the order of the question; bytes that no entity has are left out. */
  known: { sha256: string; id: number; is_deleted: boolean }[];
}

/** Body of `PATCH /entity/{id}`: what is left out stays as it is. */
export interface EntityPatch {
  label?: string | null | undefined;
  description?: string | null | undefined;
  /** A collection's id; null moves the entity out of any. */
  parent_id?: number | null | undefined;
  /** True deletes softly, false restores. */
  is_deleted?: boolean | undefined;
}

/** A page of a listing. */
export interface Page<T> {
  items: T[];
  pagination: {
    /** From 1. */
    page: number;
    page_size: number;
    total_items: number;
    total_pages: number;
    has_next: boolean;
    has_prev: boolean;
  };
}

/** Puts one page's items together with where they stand in the whole. */
export function pageOf<T>(items: T[], page: number, pageSize: number, total: number): Page<T> {
  const pages = Math.ceil(total / pageSize);
  return {
    items,
    pagination: {
      page,
      page_size: pageSize,
      total_items: total,
      total_pages: pages,
      has_next: page < pages,
      has_prev: page > 1 && total > 0,
    },
  };
}
