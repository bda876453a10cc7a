/**
 * Lets the figures of one scrape that come from one source read it once: who asks while a reading is
 * under way gets that one.
 */
export function sharedReading<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => running ??= read().finally(() => running = undefined);
}
