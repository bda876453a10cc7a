/*
 * The roofline: as many multiply-adds, or dot products of 4, as the processor can do when it has
 * nothing to load. 12 sums hide their latency; each round does 12·4 multiply-adds (f32) or 12·16 (i8).
 */
#include "kernel.h"

enum { SUMS = 12 };

/* numbers: [12][4], the sums to begin with and to end with. */
KERNEL(peak_f32)(float *numbers, int rounds) {
  v128_t x = wasm_v128_load(numbers), sums[SUMS];
  UNROLL for (int i = 0; i < SUMS; i++) sums[i] = wasm_v128_load(numbers + 4 * i);
  while (rounds--) {
    UNROLL for (int i = 0; i < SUMS; i++) sums[i] = wasm_f32x4_relaxed_madd(x, x, sums[i]);
  }
  UNROLL for (int i = 0; i < SUMS; i++) wasm_v128_store(numbers + 4 * i, sums[i]);
}

KERNEL(peak_i8)(int32_t *numbers, int rounds) {
  v128_t x = wasm_v128_load(numbers), sums[SUMS];
  UNROLL for (int i = 0; i < SUMS; i++) sums[i] = wasm_v128_load(numbers + 4 * i);
  while (rounds--) {
    UNROLL for (int i = 0; i < SUMS; i++) {
      sums[i] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(x, x, sums[i]);
    }
  }
  UNROLL for (int i = 0; i < SUMS; i++) wasm_v128_store(numbers + 4 * i, sums[i]);
}
