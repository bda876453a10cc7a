/*
 * What attention needs beside two matrix products: a head's keys and values as panels of weights, and
 * softmax.
 *
 * Bound of all three: the first-level cache; a head of 50 tokens × 64 numbers has 12.5 KB.
 */
#include "kernel.h"

/* Four rows of four numbers as their four columns. */
INLINE void transpose(v128_t rows[4]) {
  v128_t a = wasm_i32x4_shuffle(rows[0], rows[1], 0, 4, 1, 5);
  v128_t b = wasm_i32x4_shuffle(rows[2], rows[3], 0, 4, 1, 5);
  v128_t c = wasm_i32x4_shuffle(rows[0], rows[1], 2, 6, 3, 7);
  v128_t d = wasm_i32x4_shuffle(rows[2], rows[3], 2, 6, 3, 7);
  rows[0] = wasm_i64x2_shuffle(a, b, 0, 2);
  rows[1] = wasm_i64x2_shuffle(a, b, 1, 3);
  rows[2] = wasm_i64x2_shuffle(c, d, 0, 2);
  rows[3] = wasm_i64x2_shuffle(c, d, 1, 3);
}

/*
 * Keys [tokens][stride] as the weights that queries are multiplied with, kᵀ: panels
 * [⌈tokens / 8⌉][width][8], zeros in place of tokens that a last panel lacks.
 *
 * Tile: 4 tokens × 4 numbers. width: a multiple of 4.
 */
KERNEL(pack_keys)(const float *keys, int stride, float *panels, int tokens, int width) {
  for (int t = 0; t < tokens; t += TILE_COLUMNS, panels += width * TILE_COLUMNS) {
    for (int half = 0; half < TILE_COLUMNS; half += 4) {
      for (int i = 0; i < width; i += 4) {
        v128_t four_tokens[4];
        UNROLL for (int j = 0; j < 4; j++) {
          int token = t + half + j;
          four_tokens[j] =
              token < tokens ? wasm_v128_load(keys + token * stride + i) : four(0);
        }
        transpose(four_tokens);
        UNROLL for (int j = 0; j < 4; j++) {
          wasm_v128_store(panels + (i + j) * TILE_COLUMNS + half, four_tokens[j]);
        }
      }
    }
  }
}

/*
 * Values [tokens][stride] as the weights that attention's shares are multiplied with: panels
 * [width / 8][tokens][8].
 *
 * Tile: 8 numbers of a token. width: a multiple of 8.
 */
KERNEL(pack_values)(const float *values, int stride, float *panels, int tokens, int width) {
  for (int i = 0; i < width; i += TILE_COLUMNS) {
    for (int t = 0; t < tokens; t++, panels += TILE_COLUMNS) {
      const float *value = values + t * stride + i;
      wasm_v128_store(panels, wasm_v128_load(value));
      wasm_v128_store(panels + 4, wasm_v128_load(value + 4));
    }
  }
}

/* A row of scores becomes its softmax; see below. */
INLINE void softmax_of(float *scores, int columns) {
  for (int i = columns; i & 7; i++) scores[i] = -__builtin_inff();
  v128_t largest = wasm_v128_load(scores);
  for (int i = 4; i < columns; i += 4) {
    largest = wasm_f32x4_pmax(largest, wasm_v128_load(scores + i));
  }
  largest = four(largest_of_four(largest));
  v128_t sum = four(0);
  for (int i = 0; i < columns; i += 8) {
    UNROLL for (int j = 0; j < 8; j += 4) {
      v128_t below = wasm_f32x4_sub(wasm_v128_load(scores + i + j), largest);
      v128_t share = exp2_of_four(wasm_f32x4_mul(below, four(LOG2_E)));
      wasm_v128_store(scores + i + j, share);
      sum = wasm_f32x4_add(sum, share);
    }
  }
  v128_t scale = four(1 / sum_of_four(sum));
  for (int i = 0; i < columns; i += 4) {
    wasm_v128_store(scores + i, wasm_f32x4_mul(wasm_v128_load(scores + i), scale));
  }
}

/*
 * Each row of scores [rows][stride] becomes its softmax, e^(x − max) / Σ e^(x − max), in place.
 *
 * Tile: 8 scores of a row. stride: `columns` rounded up to a multiple of 8 or more; the numbers
 * between them are overwritten. Relative error of a share: below 1e-6 + 2e-7·(max − x); what is more
 * than 87 below the largest has a share of e⁻⁸⁷ in place of a smaller one.
 */
KERNEL(softmax)(float *scores, int stride, int rows, int columns) {
  for (int row = 0; row < rows; row++, scores += stride) softmax_of(scores, columns);
}

/*
 * The same for tokens that look at themselves and those before them: row i of scores [rows][stride]
 * becomes the softmax of its first i + 1 columns, and exactly 0 in all others up to column `rows`,
 * rounded up to a multiple of 8.
 */
KERNEL(softmax_causal)(float *scores, int stride, int rows) {
  for (int row = 0; row < rows; row++, scores += stride) {
    softmax_of(scores, row + 1);
    for (int i = row + 1; i < ((rows + 7) & ~7); i++) scores[i] = 0;
  }
}
