/*
 * C = A·W + bias, or C += A·W + bias, in float32.
 *
 * Tile: 6 rows × 8 columns in registers, 12 multiply-adds for 8 loads.
 * Layout: A [rows][a_stride], C [rows][c_stride]; W in panels of 8 columns, [columns / 8][depth][8],
 *   so that a tile reads its weights one after the other.
 * Bound: arithmetic. A panel of 768 weights a column (24 KB) stays in the first-level cache for
 *   all tiles below each other, and the rows of a block in the second-level cache for all panels.
 */
#include "kernel.h"

/* Of the depth, what is multiplied at a time: longer sums are put together from several. */
enum { DEPTH_BLOCK = 768 };

INLINE void finish(float *c, v128_t sum, const float *bias, int add) {
  if (bias) sum = wasm_f32x4_add(sum, wasm_v128_load(bias));
  if (add) sum = wasm_f32x4_add(sum, wasm_v128_load(c));
  wasm_v128_store(c, sum);
}

INLINE void tile(const int height, const float *a, int a_stride, const float *w, int depth,
                 const float *bias, float *c, int c_stride, int add) {
  v128_t left[TILE_ROWS], right[TILE_ROWS];
  const float *row[TILE_ROWS];
  UNROLL for (int i = 0; i < height; i++) {
    left[i] = right[i] = four(0);
    row[i] = a + i * a_stride;
  }
  for (int k = 0; k < depth; k++, w += TILE_COLUMNS) {
    v128_t w_left = wasm_v128_load(w), w_right = wasm_v128_load(w + 4);
    UNROLL for (int i = 0; i < height; i++) {
      v128_t x = wasm_v128_load32_splat(row[i]++);
      left[i] = wasm_f32x4_relaxed_madd(x, w_left, left[i]);
      right[i] = wasm_f32x4_relaxed_madd(x, w_right, right[i]);
    }
  }
  UNROLL for (int i = 0; i < height; i++, c += c_stride) {
    finish(c, left[i], bias, add);
    finish(c + 4, right[i], bias ? bias + 4 : 0, add);
  }
}

/* columns: a multiple of 8. bias: [columns], or 0 for none. */
KERNEL(gemm_f32)(const float *a, int a_stride, const float *w, const float *bias, float *c,
                 int c_stride, int rows, int columns, int depth, int add) {
  Tiles tiles = tiles_of(rows);
  for (int k = 0; k < depth; k += DEPTH_BLOCK, bias = 0, add = 1) {
    int block_depth = at_most(DEPTH_BLOCK, depth - k);
    for (int block = 0; block < tiles.count; block += BLOCK_TILES) {
      int end = at_most(tiles.count, block + BLOCK_TILES);
      for (int n = 0; n < columns; n += TILE_COLUMNS) {
        const float *panel = w + n * depth + k * TILE_COLUMNS;
        const float *panel_bias = bias ? bias + n : 0;
        for (int t = block; t < end; t++) {
          int m = first_row_of(tiles, t);
          const float *a_tile = a + m * a_stride + k;
          float *c_tile = c + m * c_stride + n;
#define CASE(height)                                                                              \
  case height:                                                                                    \
    tile(height, a_tile, a_stride, panel, block_depth, panel_bias, c_tile, c_stride, add);        \
    break
          switch (height_of(tiles, t)) {
            CASE(1);
            CASE(2);
            CASE(3);
            CASE(4);
            CASE(5);
            CASE(6);
          }
#undef CASE
        }
      }
    }
  }
}
