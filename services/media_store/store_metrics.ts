import { sharedReading } from "@fovea/common/shared_reading";
import { Counter, Gauge, type Registry } from "prom-client";

/** Entities of one kind. */
export interface Tally {
  is_collection: boolean;
  is_deleted: boolean;
  entities: number;
  /** Bytes of their files. */
  bytes: number;
}

/** Where the figures of the store come from; they are taken when Prometheus asks. */
export interface StoreFigures {
  /** Bytes of files that came in since the start, kept or not. */
  bytesReceived(): number;
  tally(): Promise<Tally[]>;
}

/** Adds what the store holds and takes in. */
export function storeMetrics(registry: Registry, { bytesReceived, tally }: StoreFigures): void {
  const registers = [registry];
  new Counter({
    name: "media_store_upload_bytes_total",
    help: "Bytes of files that were received, kept or not",
    registers,
    collect() {
      this.reset();
      this.inc(bytesReceived());
    },
  });
  const tallies = sharedReading(tally);
  new Gauge({
    name: "media_store_size_bytes",
    help: "Bytes of all files of entities",
    registers,
    async collect() {
      this.set((await tallies()).reduce((sum, { bytes }) => sum + bytes, 0));
    },
  });
  new Gauge({
    name: "media_store_entities",
    help: "Entities, by whether they are collections and whether they are softly deleted",
    labelNames: ["is_collection", "is_deleted"],
    registers,
    async collect() {
      const counted = await tallies();
      this.reset();
      for (const { is_collection, is_deleted, entities } of counted) {
        this.set({ is_collection: `${is_collection}`, is_deleted: `${is_deleted}` }, entities);
      }
    },
  });
}
