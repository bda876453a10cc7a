/**
 * One thread's share of a search: scores from codes, and which of them are high.
 *
 * @module
 */
import { BestSlots } from "./best_slots.ts";
import type { RangeRequest, ScanReply, ScanRequest, ScanSetup, ScoredSlots } from "./messages.ts";
import { queryAddress, SEGMENT_ROWS, SegmentLayout } from "./segments.ts";

interface Kernel {
  scan(
    rows: number,
    width: number,
    count: number,
    query: number,
    scale: number,
    offset: number,
    scores: number,
  ): void;
}

export class Scanner {
  readonly #setup: ScanSetup;
  readonly #layout: SegmentLayout;
  readonly #kernel: Kernel;
  #last: ScanRequest | undefined;

  constructor(setup: ScanSetup) {
    this.#setup = setup;
    this.#layout = new SegmentLayout(setup.dimension, setup.threads);
    const binary = Deno.readFileSync(new URL("./scan.wasm", import.meta.url));
    this.#kernel = new WebAssembly.Instance(
      new WebAssembly.Module(binary),
      { env: { memory: setup.memory } },
    ).exports as unknown as Kernel;
  }

  scan(request: ScanRequest): ScanReply {
    this.#last = request;
    const { numbers, scale, offset, norm, slack } = request.query;
    const address = queryAddress(this.#setup.thread);
    new Int16Array(this.#setup.memory.buffer, address, numbers.length).set(numbers);
    const best = new BestSlots(request.limit);
    let eligible = 0;
    let sum = 0;
    let squares = 0;
    for (const segment of this.#segments(request)) {
      const at = this.#layout.at(segment);
      const { width } = this.#layout;
      this.#kernel.scan(at.codes, width, SEGMENT_ROWS, address, scale, offset, at.scores);
      const { scores, residuals, mask } = this.#rows(segment);
      for (let row = 0; row < SEGMENT_ROWS; row++) {
        if (mask[row] === 0) continue;
        const score = scores[row]!;
        eligible++;
        sum += score;
        squares += score * score;
        if (score <= best.threshold) continue;
        if (score - norm * residuals[row]! - slack > request.below) continue;
        best.add(score, segment * SEGMENT_ROWS + row);
      }
    }
    return { ...best.result(), eligible, sum, squares };
  }

  /** Rows whose score, as far as codes tell, may be `from` or more, but not above `below` for certain. */
  range({ from, below }: RangeRequest): ScoredSlots {
    const request = this.#last!;
    const { norm, slack } = request.query;
    const found: number[] = [];
    const foundScores: number[] = [];
    for (const segment of this.#segments(request)) {
      const { scores, residuals, mask } = this.#rows(segment);
      for (let row = 0; row < SEGMENT_ROWS; row++) {
        if (mask[row] === 0) continue;
        const score = scores[row]!;
        const doubt = norm * residuals[row]! + slack;
        if (score + doubt < from || score - doubt > below) continue;
        found.push(segment * SEGMENT_ROWS + row);
        foundScores.push(score);
      }
    }
    return { slots: Int32Array.from(found), scores: Float64Array.from(foundScores) };
  }

  *#segments({ segments }: ScanRequest): Generator<number> {
    const { thread, threads } = this.#setup;
    for (let segment = thread; segment < segments; segment += threads) yield segment;
  }

  #rows(segment: number) {
    const at = this.#layout.at(segment);
    const { buffer } = this.#setup.memory;
    return {
      scores: new Float32Array(buffer, at.scores, SEGMENT_ROWS),
      residuals: new Float32Array(buffer, at.residuals, SEGMENT_ROWS),
      mask: new Uint8Array(buffer, at.mask, SEGMENT_ROWS),
    };
  }
}
