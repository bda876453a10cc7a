/*
 * Layer normalisation (Ba, Kiros, Hinton 2016, arXiv 1607.06450, eq. 4) of each row:
 * (x − mean) / √(variance + epsilon)·gain + bias.
 *
 * Tile: a row. Layout: x [rows][x_stride], y [rows][width]; y may be x.
 * Bound: the first-level cache, where a row is read three times.
 */
#include "kernel.h"

INLINE float sum_of_chains(const v128_t sums[CHAINS]) {
  return sum_of_four(
      wasm_f32x4_add(wasm_f32x4_add(sums[0], sums[1]), wasm_f32x4_add(sums[2], sums[3])));
}

/* width: a multiple of 16. */
KERNEL(layer_norm)(const float *x, int x_stride, const float *gain, const float *bias, float *y,
                   int rows, int width, float epsilon) {
  for (int row = 0; row < rows; row++, x += x_stride, y += width) {
    v128_t sum[CHAINS], squares[CHAINS];
    UNROLL for (int j = 0; j < CHAINS; j++) sum[j] = squares[j] = four(0);
    for (int i = 0; i < width; i += 4 * CHAINS) {
      UNROLL for (int j = 0; j < CHAINS; j++) {
        sum[j] = wasm_f32x4_add(sum[j], wasm_v128_load(x + i + 4 * j));
      }
    }
    v128_t mean = four(sum_of_chains(sum) / width);
    for (int i = 0; i < width; i += 4 * CHAINS) {
      UNROLL for (int j = 0; j < CHAINS; j++) {
        v128_t difference = wasm_f32x4_sub(wasm_v128_load(x + i + 4 * j), mean);
        squares[j] = wasm_f32x4_relaxed_madd(difference, difference, squares[j]);
      }
    }
    v128_t scale = four(1 / __builtin_sqrtf(sum_of_chains(squares) / width + epsilon));
    for (int i = 0; i < width; i += 4 * CHAINS) {
      UNROLL for (int j = i; j < i + 4 * CHAINS; j += 4) {
        v128_t normal = wasm_f32x4_mul(wasm_f32x4_sub(wasm_v128_load(x + j), mean), scale);
        wasm_v128_store(y + j, wasm_f32x4_relaxed_madd(normal, wasm_v128_load(gain + j),
                                                       wasm_v128_load(bias + j)));
      }
    }
  }
}
