// The inputs of a product as whole numbers of 16 bits, in groups of 32 with a step each: bf16 has 8 bits of its own, and
// a value that is 128 times smaller than the largest of its group keeps them all. Knows no weights.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <ATen/Parallel.h>

#include "lanes.h"
#include "tiles.h"

constexpr int64_t GROUP = 32, PAIRS = GROUP / 2;

// Every tile of rows has a part of its own, in which the same pair of inputs, or the same group, of all rows of the tile
// stand side by side: a product reads them one after the other.
struct Inputs {
  int64_t groups;
  std::vector<int32_t> pairs;  // two inputs in each
  std::vector<float> steps;    // of each row's groups
  std::vector<float> sums;     // of a group's inputs: what a weight's zero is multiplied by

  const int32_t* pairs_of(int64_t first) const { return pairs.data() + first * groups * PAIRS; }
  const float* steps_of(int64_t first) const { return steps.data() + first * groups; }
  const float* sums_of(int64_t first) const { return sums.data() + first * groups; }
};

inline void take_group(const uint16_t* x, int32_t* pairs, int64_t apart, float& step, float& sum) {
  const Floats low = load_bf16(x), high = load_bf16(x + LANES);
  const float largest = largest_of(larger(size_of(low), size_of(high)));
  const float exact = sum_of(product_plus(low, all_of(1.0f), high));
  const float inverse = 32767.0f / largest;
  alignas(64) int16_t codes[GROUP] = {};
  step = sum = std::isfinite(exact) ? 0.0f : std::numeric_limits<float>::quiet_NaN();
  if (std::isfinite(inverse) && std::isfinite(exact)) {  // else nothing but zeros, or what is no number
    store_wholes(codes, product(low, all_of(inverse)));
    store_wholes(codes + LANES, product(high, all_of(inverse)));
    int total = 0;
    for (const int16_t one : codes) total += one;
    step = largest / 32767.0f;
    sum = step * static_cast<float>(total);
  }
  for (int64_t pair = 0; pair < PAIRS; ++pair) std::memcpy(pairs + pair * apart, codes + pair * 2, sizeof(*pairs));
}

// Of x [rows, k] in bf16.
inline Inputs inputs_of(const uint16_t* x, int64_t rows, int64_t k) {
  const int64_t groups = k / GROUP, count = rows * groups;
  Inputs made{groups, std::vector<int32_t>(count * PAIRS), std::vector<float>(count), std::vector<float>(count)};
  at::parallel_for(0, rows, std::max<int64_t>(1, 2048 / std::max<int64_t>(1, groups)), [&](int64_t row, int64_t last) {
    for (; row < last; ++row) {
      const Tile tile = tile_of(rows, row);
      const int64_t place = tile.first * groups + (row - tile.first);
      int32_t* pairs = made.pairs.data() + tile.first * groups * PAIRS + (row - tile.first);
      for (int64_t group = 0; group < groups; ++group) {
        const int64_t here = place + group * tile.rows;
        take_group(x + row * k + group * GROUP, pairs + group * PAIRS * tile.rows, tile.rows, made.steps[here],
                   made.sums[here]);
      }
    }
  });
  return made;
}
