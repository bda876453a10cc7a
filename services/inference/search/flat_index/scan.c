// Scores of many rows of codes for one query, see flat_index.ts, which says how they lie.
//
// Codes are 8-bit and the query is 16-bit, so that nothing but the codes is rounded: products of the
// two are added up exactly in 32 bits (127 * 8191 * 2048 dimensions fit). Nothing lies on a stack:
// several threads run this in one memory.
#include <stdint.h>
#include <wasm_simd128.h>

static inline float sum(v128_t a) {
  return (float)(wasm_i32x4_extract_lane(a, 0) + wasm_i32x4_extract_lane(a, 1) +
                 wasm_i32x4_extract_lane(a, 2) + wasm_i32x4_extract_lane(a, 3));
}

/**
 * scores[i] = offset + scale * (row i times query).
 *
 * `width` codes a row, a multiple of 16. An even number of rows; two go together, so that the query
 * is fetched once for both.
 */
__attribute__((export_name("scan")))
void scan(const int8_t *rows, int width, int count, const int16_t *query, float scale, float offset,
          float *scores) {
  for (int i = 0; i < count; i += 2, rows += 2 * width) {
    v128_t a = wasm_i32x4_const_splat(0), b = a, c = a, d = a;
    for (int k = 0; k < width; k += 16) {
      v128_t low = wasm_v128_load(query + k), high = wasm_v128_load(query + k + 8);
      v128_t x = wasm_v128_load(rows + k), y = wasm_v128_load(rows + width + k);
      a = wasm_i32x4_add(a, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(x), low));
      b = wasm_i32x4_add(b, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(x), high));
      c = wasm_i32x4_add(c, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(y), low));
      d = wasm_i32x4_add(d, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(y), high));
    }
    scores[i] = offset + scale * sum(wasm_i32x4_add(a, b));
    scores[i + 1] = offset + scale * sum(wasm_i32x4_add(c, d));
  }
}
