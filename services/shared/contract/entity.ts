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
