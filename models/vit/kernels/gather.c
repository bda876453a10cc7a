/*
 * Some columns of rows, beside each other: y[m][j] = x[m][columns[j]].
 *
 * Tile: a row. Layout: x [rows][x_stride], y [rows][count].
 * Bound: the first-level cache, where a row has just been read.
 */
#include "kernel.h"

KERNEL(gather)(const float *x, int x_stride, const int32_t *columns, int count, float *y, int rows) {
  for (int row = 0; row < rows; row++, x += x_stride, y += count) {
    for (int j = 0; j < count; j++) y[j] = x[columns[j]];
  }
}
