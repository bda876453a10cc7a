/*
 * C = A·W + bias, or C += A·W + bias, of 8-bit integers that stand for float32 numbers:
 * a[m][k] ≈ (q[m][k] − row_zeros[m])·row_scales[m], w[k][n] ≈ p[k][n]·column_scales[n], so that
 * Σ a·w ≈ (Σ q·p − row_zeros[m]·Σ p)·row_scales[m]·column_scales[n], the sums in exact integers.
 *
 * Tile: 6 rows × 8 columns in registers, 12 dot products of 4 for 8 loads.
 * Layout: q [rows][depth], 0…255 or, where that is not exact (see `dot_probe`), 0…127; p −127…127 in
 *   panels of 8 columns and steps of 4, [columns / 8][depth / 4][8][4].
 * Bound: arithmetic. A panel (24 KB at a depth of 3072) stays in the first-level cache, the rows of a
 *   block in the second-level cache. Sums stay below 255·127·depth: exact up to a depth of 66,000.
 */
#include "kernel.h"

enum { STEP = 4 };

/* Adds Σ q·p of four neighbours at a time to four sums. */
INLINE v128_t dot(v128_t p, v128_t q, v128_t sums) {
  return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(p, q, sums);
}

typedef struct {
  const float *scales;
  const int32_t *sums;
  const float *bias;
} Columns;

INLINE void finish(float *c, v128_t sum, float row_scale, int row_zero, Columns columns, int add) {
  v128_t offset = wasm_i32x4_mul(wasm_i32x4_splat(row_zero), wasm_v128_load(columns.sums));
  v128_t scale = wasm_f32x4_mul(four(row_scale), wasm_v128_load(columns.scales));
  v128_t value = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wasm_i32x4_sub(sum, offset)), scale);
  if (columns.bias) value = wasm_f32x4_add(value, wasm_v128_load(columns.bias));
  if (add) value = wasm_f32x4_add(value, wasm_v128_load(c));
  wasm_v128_store(c, value);
}

INLINE Columns from(Columns columns, int n) {
  return (Columns){columns.scales + n, columns.sums + n, columns.bias ? columns.bias + n : 0};
}

INLINE void tile(const int height, const uint8_t *q, const float *row_scales,
                 const int32_t *row_zeros, const int8_t *p, int depth, Columns columns, float *c,
                 int c_stride, int add) {
  v128_t left[TILE_ROWS], right[TILE_ROWS];
  const uint8_t *row[TILE_ROWS];
  UNROLL for (int i = 0; i < height; i++) {
    left[i] = right[i] = wasm_i32x4_splat(0);
    row[i] = q + i * depth;
  }
  for (int k = 0; k < depth; k += STEP, p += STEP * TILE_COLUMNS) {
    v128_t p_left = wasm_v128_load(p), p_right = wasm_v128_load(p + 16);
    UNROLL for (int i = 0; i < height; i++) {
      v128_t x = wasm_v128_load32_splat(row[i]);
      row[i] += STEP;
      left[i] = dot(p_left, x, left[i]);
      right[i] = dot(p_right, x, right[i]);
    }
  }
  UNROLL for (int i = 0; i < height; i++, c += c_stride) {
    finish(c, left[i], row_scales[i], row_zeros[i], columns, add);
    finish(c + 4, right[i], row_scales[i], row_zeros[i], from(columns, 4), add);
  }
}

/* columns: a multiple of 8; depth: of 4. bias: [columns], or 0 for none. column_sums[n] = Σ p over k. */
KERNEL(gemm_i8)(const uint8_t *q, const float *row_scales, const int32_t *row_zeros,
                const int8_t *p, const float *column_scales, const int32_t *column_sums,
                const float *bias, float *c, int c_stride, int rows, int columns, int depth,
                int add) {
  Tiles tiles = tiles_of(rows);
  Columns all = {column_scales, column_sums, bias};
  for (int block = 0; block < tiles.count; block += BLOCK_TILES) {
    int end = at_most(tiles.count, block + BLOCK_TILES);
    for (int n = 0; n < columns; n += TILE_COLUMNS) {
      for (int t = block; t < end; t++) {
        int m = first_row_of(tiles, t);
#define CASE(height)                                                                              \
  case height:                                                                                    \
    tile(height, q + m * depth, row_scales + m, row_zeros + m, p + n * depth, depth,              \
         from(all, n), c + m * c_stride + n, c_stride, add);                                      \
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

/*
 * The dot product of four times q (0…255) with four times p (−127…127) as this processor computes it.
 * It is 4·q·p for q up to 127 everywhere; beyond, WebAssembly leaves it open whether q is taken for
 * negative, or whether halves of the sum saturate at 16 bits.
 */
__attribute__((export_name("dot_probe"))) int32_t dot_probe(int q, int p) {
  return wasm_i32x4_extract_lane(
      dot(wasm_i8x16_splat(p), wasm_i8x16_splat(q), wasm_i32x4_splat(0)), 0);
}
