/*
 * Activations as 8-bit integers: x[m][k]·balance[k] ≈ (q[m][k] − zeros[m])·scales[m], with q from 0 to
 * `levels` and each row's scale and zero such that its smallest and largest number, and 0, are in
 * range. Off by no more than the row's scale, half of it away from the range's ends.
 *
 * Tile: 16 numbers of a row. Layout: x and q [rows][depth].
 * Bound: the first-level cache, where a row is read twice.
 */
#include "kernel.h"

INLINE v128_t nearest_integers(const float *x, const float *balance, v128_t steps, v128_t zero) {
  v128_t value = wasm_f32x4_mul(wasm_v128_load(x), wasm_v128_load(balance));
  v128_t rounded = wasm_f32x4_nearest(wasm_f32x4_mul(value, steps));
  return wasm_i32x4_add(wasm_i32x4_relaxed_trunc_f32x4(rounded), zero);
}

/* depth: a multiple of 16. levels: 127 or 255. A row of nothing but zeros has the scale 1. */
KERNEL(quantise)(const float *x, const float *balance, uint8_t *q, float *scales, int32_t *zeros,
                 int rows, int depth, int levels) {
  v128_t limit = wasm_i8x16_splat(levels);
  for (int row = 0; row < rows; row++, x += depth, q += depth) {
    v128_t low[CHAINS], high[CHAINS];
    UNROLL for (int j = 0; j < CHAINS; j++) low[j] = high[j] = four(0);
    for (int k = 0; k < depth; k += 4 * CHAINS) {
      UNROLL for (int j = 0; j < CHAINS; j++) {
        int at = k + 4 * j;
        v128_t value = wasm_f32x4_mul(wasm_v128_load(x + at), wasm_v128_load(balance + at));
        low[j] = wasm_f32x4_pmin(low[j], value);
        high[j] = wasm_f32x4_pmax(high[j], value);
      }
    }
    UNROLL for (int j = 1; j < CHAINS; j++) {
      low[0] = wasm_f32x4_pmin(low[0], low[j]);
      high[0] = wasm_f32x4_pmax(high[0], high[j]);
    }
    float lowest = -largest_of_four(wasm_f32x4_neg(low[0]));
    float range = largest_of_four(high[0]) - lowest;
    float scale = range > 1e-30f ? range / levels : 1;
    int zero = (int)(-lowest / scale + 0.5f);
    scales[row] = scale;
    zeros[row] = zero;
    v128_t steps = four(1 / scale), offset = wasm_i32x4_splat(zero);
    for (int k = 0; k < depth; k += 16) {
      v128_t first = nearest_integers(x + k, balance + k, steps, offset);
      v128_t second = nearest_integers(x + k + 4, balance + k + 4, steps, offset);
      v128_t third = nearest_integers(x + k + 8, balance + k + 8, steps, offset);
      v128_t fourth = nearest_integers(x + k + 12, balance + k + 12, steps, offset);
      v128_t bytes = wasm_u8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(first, second),
                                             wasm_i16x8_narrow_i32x4(third, fourth));
      wasm_v128_store(q + k, wasm_u8x16_min(bytes, limit));
    }
  }
}
