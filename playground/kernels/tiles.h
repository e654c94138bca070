// A product cut into tiles: the outputs among the threads, the rows by as many as fit into the registers. Weights are
// fetched once for all rows. A row's sums are taken in one order, whatever is beside it. Knows no weights.
#pragma once

#include <type_traits>

#include <ATen/Parallel.h>

#include "lanes.h"

constexpr int64_t GRAIN = 4;  // blocks of outputs that are worth a thread

struct Tile {
  int64_t first, rows;
};

// Calls take(a constant with the number of rows, the first of them) for all rows from the first on.
template <typename Take>
void each_tile(int64_t rows, const Take& take) {
  int64_t row = 0;
  const auto all = [&](auto some) {
    for (; row + some <= rows; row += some) take(some, row);
  };
  all(std::integral_constant<int, ROWS_IN_REGISTERS>{});
  if constexpr (ROWS_IN_REGISTERS > 4) all(std::integral_constant<int, 4>{});
  all(std::integral_constant<int, 2>{});
  all(std::integral_constant<int, 1>{});
}

// The tile in which a row is.
inline Tile tile_of(int64_t rows, int64_t row) {
  Tile found{};
  each_tile(rows, [&](auto some, int64_t first) {
    if (first <= row && row < first + some) found = {first, some};
  });
  return found;
}

// Calls multiply(a constant with the number of rows, the first of them, a block of LANES outputs) for all of both.
template <typename Multiply>
void each_product(int64_t rows, int64_t blocks, const Multiply& multiply) {
  at::parallel_for(0, blocks, GRAIN, [&](int64_t block, int64_t last) {
    for (; block < last; ++block) each_tile(rows, [&](auto some, int64_t row) { multiply(some, row, block); });
  });
}
