// y = x · W with W in 4 bits, for few rows and many: x [m, k] in bf16, sums of whole numbers in 32 bits and of groups in
// fp32. torch's own product of this kind computes where it should read; this one is bound by memory. Knows no model.
//
// W comes in blocks of 320 bytes: 16 outputs by 32 inputs. Of the first 256 bytes each 16-bit word holds four codes of
// one output, of inputs 2 apart, so that one shift turns a whole register of words into codes; then 16 scales and 16
// zeros in fp16. weight = (code - 8) * scale + zero.

#include <algorithm>
#include <limits>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include "inputs.h"
#include "lanes.h"
#include "rows.h"
#include "tiles.h"

namespace playground::int4 {
namespace {

constexpr int64_t BLOCK = 320, SCALES = 256, ZEROS = 288;
constexpr int64_t ROWS_AT_ONCE = 32, PART = 2048, AHEAD = 2;

struct Product {
  const Inputs& in;
  const uint8_t* blocks;
  void* y;
  int64_t n;
};

template <int M, int Place>
void add_codes(Wholes (&sums)[M], Pairs words, const int32_t* x) {
  const Pairs codes = nibbles<Place>(words);
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m) add_product(sums[m], codes, x[Place * M + m]);
}

// M rows at once, so that each weight is unpacked once for all of them.
template <int M, typename Out>
void multiply(const Product& of, int64_t row, int64_t block) {
  const int64_t groups = of.in.groups;
  const uint8_t* at = of.blocks + block * groups * BLOCK;
  const int32_t* x = of.in.pairs_of(row);
  const float *steps = of.in.steps_of(row), *sums_of_x = of.in.sums_of(row);
  Floats total[M];
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m) total[m] = all_of(0.0f);
  for (int64_t group = 0; group < groups; ++group, at += BLOCK, x += PAIRS * M, steps += M, sums_of_x += M) {
    Wholes sums[M];
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m) sums[m] = no_wholes();
#pragma GCC unroll 4
    for (int quarter = 0; quarter < 4; ++quarter) {
      const Pairs words = load_pairs(at + quarter * 64);
      add_codes<M, 0>(sums, words, x + quarter * 4 * M);
      add_codes<M, 1>(sums, words, x + quarter * 4 * M);
      add_codes<M, 2>(sums, words, x + quarter * 4 * M);
      add_codes<M, 3>(sums, words, x + quarter * 4 * M);
    }
    const Floats scale = load_halves(at + SCALES);
    const Floats low = product_plus(all_of(-8.0f), scale, load_halves(at + ZEROS));
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m) {
      total[m] = product_plus(product(scale, all_of(steps[m])), floats(sums[m]), total[m]);
      total[m] = product_plus(low, all_of(sums_of_x[m]), total[m]);
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m) store(static_cast<Out*>(of.y) + (row + m) * of.n + block * LANES, total[m]);
}

at::Tensor checked(const at::Tensor& given, const at::Tensor& blocks, int64_t n) {
  const at::Tensor x = given.contiguous();
  TORCH_CHECK(x.dim() == 2 && x.scalar_type() == at::kBFloat16, "x must be [rows, inputs] in bf16");
  TORCH_CHECK(
      x.size(1) % GROUP == 0 && n % LANES == 0 && blocks.is_contiguous() && blocks.scalar_type() == at::kByte &&
          blocks.numel() == n / LANES * (x.size(1) / GROUP) * BLOCK,
      "the packed weights do not fit the input");
  return x;
}

const uint16_t* bits(const at::Tensor& x) { return static_cast<const uint16_t*>(x.const_data_ptr()); }

template <typename Out>
at::Tensor product_of(const at::Tensor& x, const at::Tensor& blocks, int64_t n, at::ScalarType type) {
  const int64_t rows = x.size(0), k = x.size(1);
  at::Tensor y = at::empty({rows, n}, x.options().dtype(type));
  const Inputs in = inputs_of(bits(x), rows, k);
  const Product of{in, blocks.const_data_ptr<uint8_t>(), y.mutable_data_ptr(), n};
  each_product(rows, n / LANES, [&](auto some, int64_t row, int64_t block) { multiply<some, Out>(of, row, block); });
  return y;
}

at::Tensor int4_product(const at::Tensor& given, const at::Tensor& blocks, int64_t n) {
  return product_of<uint16_t>(checked(given, blocks, n), blocks, n, at::kBFloat16);
}

float dot(const uint16_t* x, const uint16_t* weights, int64_t k) {
  Floats sums[2] = {all_of(0.0f), all_of(0.0f)};
  for (int64_t at = 0; at < k; at += GROUP) {
    sums[0] = product_plus(load_bf16(x + at), load_bf16(weights + at), sums[0]);
    sums[1] = product_plus(load_bf16(x + at + LANES), load_bf16(weights + at + LANES), sums[1]);
  }
  return sum_of(product_plus(sums[0], all_of(1.0f), sums[1]));
}

void fetch(const uint16_t* weights, int64_t k) {
  for (int64_t at = 0; at < k; at += GROUP) _mm_prefetch(reinterpret_cast<const char*>(weights + at), _MM_HINT_T0);
}

struct Again {
  int64_t token;
  uint32_t rows;  // a bit for each row that is near its best there
};

// The tokens [first, last) for which some of these rows [rows, n] score at least the row's `least`.
std::vector<Again> near_the_best(
    const float* scores, int64_t rows, int64_t n, const float* least, int64_t first, int64_t last) {
  std::vector<Again> found;
  for (int64_t token = first; token < last; token += LANES) {
    uint32_t wanted[LANES] = {};
    unsigned some = 0;
    for (int64_t row = 0; row < rows; ++row) {
      const unsigned near = reaching(scores + row * n + token, least[row]);
      some |= near;
      for (unsigned left = near; left != 0; left &= left - 1) wanted[__builtin_ctz(left)] |= 1u << row;
    }
    for (; some != 0; some &= some - 1) {
      const int lane = __builtin_ctz(some);
      found.push_back({token + lane, wanted[lane]});
    }
  }
  return found;
}

// Scores [m, n] in fp32; those within `near` of their row's best are multiplied once more by the weights [n, k]. Each
// row of the weights is read once for all rows of x that want it.
at::Tensor int4_scores(const at::Tensor& given, const at::Tensor& blocks, const at::Tensor& weights, double near) {
  const int64_t n = weights.size(0);
  const at::Tensor x = checked(given, blocks, n);
  TORCH_CHECK(
      weights.is_contiguous() && weights.scalar_type() == at::kBFloat16 && weights.size(1) == x.size(1),
      "the weights must be [outputs, inputs] in bf16");
  at::Tensor scores = product_of<float>(x, blocks, n, at::kFloat);
  const int64_t rows = x.size(0), k = x.size(1);
  auto* found = scores.mutable_data_ptr<float>();
  for (int64_t first = 0; first < rows; first += ROWS_AT_ONCE) {
    const int64_t some = std::min(ROWS_AT_ONCE, rows - first);
    float* here = found + first * n;
    float least[ROWS_AT_ONCE];
    at::parallel_for(0, some, 1, [&](int64_t row, int64_t last) {
      for (; row < last; ++row) least[row] = best_of(here + row * n, n) - static_cast<float>(near);
    });
    std::vector<std::vector<Again>> parts((n + PART - 1) / PART);
    at::parallel_for(0, static_cast<int64_t>(parts.size()), 1, [&](int64_t part, int64_t last) {
      for (; part < last; ++part)
        parts[part] = near_the_best(here, some, n, least, part * PART, std::min(n, (part + 1) * PART));
    });
    std::vector<Again> all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    at::parallel_for(0, static_cast<int64_t>(all.size()), 64, [&](int64_t at, int64_t last) {
      for (; at < last; ++at) {
        const auto [token, wanted] = all[at];
        if (at + AHEAD < last) fetch(bits(weights) + all[at + AHEAD].token * k, k);
        for (uint32_t left = wanted; left != 0; left &= left - 1) {
          const int64_t row = __builtin_ctz(left);
          here[row * n + token] = dot(bits(x) + (first + row) * k, bits(weights) + token * k, k);
        }
      }
    });
  }
  return scores;
}

}  // namespace
}  // namespace playground::int4

TORCH_LIBRARY_FRAGMENT(playground, library) {
  library.def("int4_product(Tensor x, Tensor blocks, int n) -> Tensor");
  library.def("int4_scores(Tensor x, Tensor blocks, Tensor weights, float near) -> Tensor");
}
TORCH_LIBRARY_IMPL(playground, CPU, library) {
  library.impl("int4_product", &playground::int4::int4_product);
  library.impl("int4_scores", &playground::int4::int4_scores);
}
