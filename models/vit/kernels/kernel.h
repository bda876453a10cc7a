/*
 * What all kernels share: how they are exported, the tile's height, and powers of four numbers at once.
 *
 * A kernel is a function over one memory that several threads share. It has no globals, no constants
 * in memory and no stack there (all instances would have the same one): whatever it works on, the
 * caller lays out. Addresses are multiples of 16 bytes unless a kernel says otherwise. "Rows" are
 * float32 numbers one after the other; a stride is the distance of two rows, in numbers.
 */
#pragma once

#include <stdint.h>
#include <wasm_simd128.h>

#define KERNEL(name) __attribute__((export_name(#name))) void name
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

/*
 * The matrix products compute tiles of up to 6 rows by 8 columns: 12 sums, 2 vectors of weights and
 * one of activations are 15 of x86's 16 vector registers, and V8 keeps the last for itself. A larger
 * tile spills, a smaller one reads more than it computes.
 */
enum { TILE_ROWS = 6, TILE_COLUMNS = 8 };

/* Tiles whose activations stay in the second-level cache while all weights pass by: 192 rows,
 * 0.6 MB at most. */
enum { BLOCK_TILES = 32 };

/* Cuts rows into as few tiles as there can be, of heights that differ by 1 at most: 50 = 5·6 + 4·5. */
typedef struct {
  int count, height, taller;
} Tiles;

INLINE Tiles tiles_of(int rows) {
  int count = (rows + TILE_ROWS - 1) / TILE_ROWS;
  return (Tiles){count, rows / count, rows % count};
}

INLINE int height_of(Tiles tiles, int tile) { return tiles.height + (tile < tiles.taller); }

INLINE int first_row_of(Tiles tiles, int tile) {
  return tile * tiles.height + (tile < tiles.taller ? tile : tiles.taller);
}

INLINE int at_most(int limit, int value) { return value < limit ? value : limit; }

/* What grows side by side where one alone would wait four cycles for each operation to end. */
enum { CHAINS = 4 };

INLINE v128_t four(float value) { return wasm_f32x4_splat(value); }

INLINE float sum_of_four(v128_t x) {
  return (wasm_f32x4_extract_lane(x, 0) + wasm_f32x4_extract_lane(x, 1)) +
         (wasm_f32x4_extract_lane(x, 2) + wasm_f32x4_extract_lane(x, 3));
}

INLINE float largest_of_four(v128_t x) {
  x = wasm_f32x4_pmax(x, wasm_i32x4_shuffle(x, x, 2, 3, 0, 1));
  x = wasm_f32x4_pmax(x, wasm_i32x4_shuffle(x, x, 1, 0, 3, 2));
  return wasm_f32x4_extract_lane(x, 0);
}

/* 1 / ln 2: eˣ = 2^(x·LOG2_E). */
#define LOG2_E 1.44269504f

/*
 * 2ˣ for x from -126 to 126, off by less than 2e-7 of it; beyond, as at the ends of that range.
 *
 * 2ˣ = 2ⁿ·2ʳ with n the integer nearest x. Adding 1.5·2²³ leaves n in a number's low bits, from where
 * it is shifted into the exponent. The polynomial of degree 6 is the one whose largest relative error
 * for |r| ≤ 1/2 is smallest, 1.9e-9 before rounding (Remez's algorithm; Remez 1934).
 */
INLINE v128_t exp2_of_four(v128_t x) {
  const float to_integer = 12582912 + 127; /* and the exponent's bias */
  x = wasm_f32x4_pmin(wasm_f32x4_pmax(x, four(-126)), four(126));
  v128_t shifted = wasm_f32x4_add(x, four(to_integer));
  v128_t r = wasm_f32x4_sub(x, wasm_f32x4_sub(shifted, four(to_integer)));
  v128_t power = four(1.5345812e-4f);
  power = wasm_f32x4_relaxed_madd(power, r, four(1.3399931e-3f));
  power = wasm_f32x4_relaxed_madd(power, r, four(9.6184891e-3f));
  power = wasm_f32x4_relaxed_madd(power, r, four(5.5503286e-2f));
  power = wasm_f32x4_relaxed_madd(power, r, four(0.24022646f));
  power = wasm_f32x4_relaxed_madd(power, r, four(0.69314718f));
  power = wasm_f32x4_relaxed_madd(power, r, four(1));
  return wasm_f32x4_mul(power, wasm_i32x4_shl(shifted, 23));
}
