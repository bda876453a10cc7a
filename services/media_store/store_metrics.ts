import { sharedReading } from "@fovea/process/shared_reading";
import { Counter, Gauge, type Registry } from "prom-client";
import type { StoreStatistics } from "./entities/statistics.ts";
import type { ThumbnailCounts } from "./thumbnails/thumbnails.ts";

/** Where the figures of the store come from; they are taken when Prometheus asks. */
export interface StoreFigures {
  /** Bytes of files that came in since the start, kept or not. */
  bytesReceived(): number;
  statistics(): Promise<StoreStatistics>;
  thumbnails(): ThumbnailCounts;
}

/** Adds what the store takes in, holds and shows. */
export function storeMetrics(registry: Registry, figures: StoreFigures): void {
  const registers = [registry];
  new Counter({
    name: "media_store_upload_bytes_total",
    help: "Bytes of files that were received, kept or not",
    registers,
    collect() {
      this.reset();
      this.inc(figures.bytesReceived());
    },
  });
  const statistics = sharedReading(() => figures.statistics());
  new Gauge({
    name: "media_store_size_bytes",
    help: "Bytes of all files, each distinct content once, old versions included",
    registers,
    async collect() {
      this.set((await statistics()).bytes);
    },
  });
  new Gauge({
    name: "media_store_entities",
    help: "Entities, by their type or that they are collections, and whether softly deleted",
    labelNames: ["kind", "is_deleted"],
    registers,
    async collect() {
      const { entities } = await statistics();
      this.reset();
      for (const { kind, is_deleted, count } of entities) {
        this.set({ kind, is_deleted: `${is_deleted}` }, count);
      }
    },
  });
  new Counter({
    name: "media_store_thumbnails_total",
    help: "Thumbnails by what became of them: made, taken from the cache, failed to be made",
    labelNames: ["outcome"],
    registers,
    collect() {
      this.reset();
      const { made, cached, failed } = figures.thumbnails();
      for (const [outcome, count] of Object.entries({ made, cached, failed })) {
        this.inc({ outcome }, count);
      }
    },
  });
  new Counter({
    name: "media_store_thumbnail_bytes_total",
    help: "Bytes of thumbnails that were made",
    registers,
    collect() {
      this.reset();
      this.inc(figures.thumbnails().bytesMade);
    },
  });
}
