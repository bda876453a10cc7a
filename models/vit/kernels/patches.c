/*
 * A picture [3][size][size] as its patches, row by row: [(size / patch)²][stride], the numbers of
 * each ordered by channel, row and column, and zeros from 3·patch² to the stride.
 *
 * Tile: a row of a patch. Bound: memory, each number is read and written once.
 */
#include "kernel.h"

KERNEL(patches)(const float *pixels, float *patches, int size, int patch, int stride) {
  for (int top = 0; top < size; top += patch) {
    for (int left = 0; left < size; left += patch, patches += stride) {
      float *out = patches;
      for (int channel = 0; channel < 3; channel++) {
        const float *in = pixels + (channel * size + top) * size + left;
        for (int y = 0; y < patch; y++, in += size) {
          for (int x = 0; x < patch; x++) *out++ = in[x];
        }
      }
      while (out < patches + stride) *out++ = 0;
    }
  }
}
