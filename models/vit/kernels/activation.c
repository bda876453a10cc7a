/*
 * The MLP's activation, in place over `count` numbers, a multiple of 16.
 *
 * Tile: 16 numbers, which share the constants: V8 loads these anew in every round. Bound: arithmetic,
 * about 16 operations and a division for four numbers.
 */
#include "kernel.h"

/* x·sigmoid(1.702 x) (Hendrycks, Gimpel 2016, arXiv 1606.08415, section 2), within 4e-7·|x|. */
KERNEL(quick_gelu)(float *x, int count) {
  for (int i = 0; i < count; i += 16) {
    UNROLL for (int j = 0; j < 16; j += 4) {
      v128_t value = wasm_v128_load(x + i + j);
      v128_t e = exp2_of_four(wasm_f32x4_mul(value, four(-1.702f * LOG2_E)));
      wasm_v128_store(x + i + j, wasm_f32x4_div(value, wasm_f32x4_add(four(1), e)));
    }
  }
}

/*
 * x·Φ(x) = x·(1 + erf(x / √2)) / 2 (ibid.), within 4e-7·|x|.
 *
 * erf(z) = 1 − (a₁t + … + a₅t⁵)·e^(−z²) with t = 1 / (1 + 0.3275911 z) for z ≥ 0 is off by 1.5e-7 at
 * most (Abramowitz, Stegun 1964, 7.1.26).
 */
KERNEL(gelu)(float *x, int count) {
  for (int i = 0; i < count; i += 16) {
    UNROLL for (int j = 0; j < 16; j += 4) {
      v128_t value = wasm_v128_load(x + i + j);
      v128_t z = wasm_f32x4_mul(wasm_f32x4_abs(value), four(0.70710678f));
      v128_t t = wasm_f32x4_div(four(1), wasm_f32x4_relaxed_madd(z, four(0.3275911f), four(1)));
      v128_t series = four(1.061405429f);
      series = wasm_f32x4_relaxed_madd(series, t, four(-1.453152027f));
      series = wasm_f32x4_relaxed_madd(series, t, four(1.421413741f));
      series = wasm_f32x4_relaxed_madd(series, t, four(-0.284496736f));
      series = wasm_f32x4_relaxed_madd(series, t, four(0.254829592f));
      v128_t e = exp2_of_four(wasm_f32x4_mul(wasm_f32x4_mul(z, z), four(-LOG2_E)));
      /* 1 − erf(z), which for x < 0 is 1 + erf(x / √2) itself: no digits are lost there. */
      v128_t tail = wasm_f32x4_mul(wasm_f32x4_mul(series, t), e);
      v128_t negative = wasm_f32x4_lt(value, four(0));
      v128_t twice = wasm_v128_bitselect(tail, wasm_f32x4_sub(four(2), tail), negative);
      wasm_v128_store(x + i + j, wasm_f32x4_mul(wasm_f32x4_mul(value, four(0.5f)), twice));
    }
  }
}
