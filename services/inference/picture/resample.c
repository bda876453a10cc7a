// The two passes of scaling, see resample.ts, which lays out the memory they work in.
//
// Weights are whole numbers, 2^22 to one, so the sum of a pixel's products fits 32 bits, and each
// sum is rounded to a byte as Pillow rounds it. Four sums lie in one register: in the pass over rows
// those of one pixel's channels, in the pass over columns those of four bytes that lie side by side.
#include <wasm_simd128.h>

#define ONE_BITS 22
#define HALF (1 << (ONE_BITS - 1))

/** Four bytes as four 32-bit numbers. */
static inline v128_t four(const void *bytes) {
  return wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(bytes)));
}

/** Sums as bytes, below 0 and above 255 cut off, in the lowest four lanes. */
static inline v128_t rounded(v128_t sums) {
  v128_t halves = wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(sums, ONE_BITS), wasm_i32x4_const_splat(0));
  return wasm_u8x16_narrow_i16x8(halves, halves);
}

static inline void put_pixel(unsigned char *to, v128_t sums) {
  v128_t bytes = rounded(sums);
  wasm_v128_store16_lane(to, bytes, 0);
  wasm_v128_store8_lane(to + 2, bytes, 2);
}

/**
 * Scales rows of pixels of three or more channels to rows of `size` pixels of three.
 *
 * Scaled pixel x is the sum of count[x] pixels from the strip's pixel first[x] on, by the weights
 * from weights[x * most] on. Four rows go together, so that a weight is fetched once for them.
 * Reads up to one byte behind the strip.
 */
__attribute__((export_name("scale_rows")))
void scale_rows(const unsigned char *strip, int stride, int channels, int rows, const int *first,
                const int *count, const int *weights, int most, int size, unsigned char *to) {
  const int line = size * 3;
  int y = 0;
  for (; y + 4 <= rows; y += 4, strip += 4 * stride, to += 4 * line) {
    for (int x = 0; x < size; x++) {
      const unsigned char *pixel = strip + first[x] * channels;
      const int *weight = weights + x * most;
      v128_t a = wasm_i32x4_const_splat(HALF), b = a, c = a, d = a;
      for (int k = 0; k < count[x]; k++, pixel += channels) {
        v128_t w = wasm_v128_load32_splat(weight + k);
        a = wasm_i32x4_add(a, wasm_i32x4_mul(w, four(pixel)));
        b = wasm_i32x4_add(b, wasm_i32x4_mul(w, four(pixel + stride)));
        c = wasm_i32x4_add(c, wasm_i32x4_mul(w, four(pixel + 2 * stride)));
        d = wasm_i32x4_add(d, wasm_i32x4_mul(w, four(pixel + 3 * stride)));
      }
      put_pixel(to + x * 3, a);
      put_pixel(to + x * 3 + line, b);
      put_pixel(to + x * 3 + 2 * line, c);
      put_pixel(to + x * 3 + 3 * line, d);
    }
  }
  for (; y < rows; y++, strip += stride, to += line) {
    for (int x = 0; x < size; x++) {
      const unsigned char *pixel = strip + first[x] * channels;
      const int *weight = weights + x * most;
      v128_t a = wasm_i32x4_const_splat(HALF);
      for (int k = 0; k < count[x]; k++, pixel += channels) {
        a = wasm_i32x4_add(a, wasm_i32x4_mul(wasm_v128_load32_splat(weight + k), four(pixel)));
      }
      put_pixel(to + x * 3, a);
    }
  }
}

/**
 * Scales `stride` columns of bytes, row by row below one another, to `size` rows.
 *
 * Scaled row y is the sum of count[y] rows from row first[y] on. Sixteen columns go together.
 * Reads and writes up to 15 bytes behind the last row; the rows are written in order.
 */
__attribute__((export_name("scale_columns")))
void scale_columns(const unsigned char *rows, int stride, const int *first, const int *count,
                   const int *weights, int most, int size, unsigned char *to) {
  for (int y = 0; y < size; y++, to += stride) {
    const unsigned char *top = rows + first[y] * stride;
    const int *weight = weights + y * most;
    for (int i = 0; i < stride; i += 16) {
      const unsigned char *bytes = top + i;
      v128_t a = wasm_i32x4_const_splat(HALF), b = a, c = a, d = a;
      for (int k = 0; k < count[y]; k++, bytes += stride) {
        v128_t w = wasm_v128_load32_splat(weight + k);
        v128_t all = wasm_v128_load(bytes);
        v128_t low = wasm_u16x8_extend_low_u8x16(all), high = wasm_u16x8_extend_high_u8x16(all);
        a = wasm_i32x4_add(a, wasm_i32x4_mul(w, wasm_u32x4_extend_low_u16x8(low)));
        b = wasm_i32x4_add(b, wasm_i32x4_mul(w, wasm_u32x4_extend_high_u16x8(low)));
        c = wasm_i32x4_add(c, wasm_i32x4_mul(w, wasm_u32x4_extend_low_u16x8(high)));
        d = wasm_i32x4_add(d, wasm_i32x4_mul(w, wasm_u32x4_extend_high_u16x8(high)));
      }
      v128_t left = wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(a, ONE_BITS), wasm_i32x4_shr(b, ONE_BITS));
      v128_t right = wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(c, ONE_BITS), wasm_i32x4_shr(d, ONE_BITS));
      wasm_v128_store(to + i, wasm_u8x16_narrow_i16x8(left, right));
    }
  }
}
