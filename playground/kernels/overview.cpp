// What there is to say of rows of scores before a token is picked: the sum of their weights, the entropy and the best,
// in two or three passes where numpy takes nine. Knows no chain.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include "lanes.h"
#include "rows.h"

namespace playground::overview {
namespace {

constexpr int64_t FLUSH = 1024;  // weights that are summed in float32, before they go into a double
constexpr float DEEPEST = -80.0f;  // nats below the best, where nothing weighs anything
constexpr float REACHES[] = {3.0f, 8.0f, std::numeric_limits<float>::infinity()};  // nats below the best, in turn

// e^x of DEEPEST <= x <= 0: 2^n times the series of e^r up to r^6, with |r| <= ln 2 / 2; relative error below 2e-7.
inline float exponential(float x) {
  constexpr float ROUNDING = 12582912.0f;  // 1.5 · 2^23: what is added to it becomes a whole number, in its last bits
  const float shifted = x * 1.44269504f + ROUNDING, n = shifted - ROUNDING;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float sum = 1.0f / 720;
  for (const float factor : {1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) sum = sum * r + factor;
  const uint32_t power = (std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(ROUNDING) + 127) << 23;
  return sum * std::bit_cast<float>(power);
}

struct Sums {
  double weights = 0, lost = 0;  // of e^f, and of f·e^f, where f is how far below the best a score is
};

Sums sums_of(const float* scores, int64_t n, float best) {
  Sums all;
  for (int64_t start = 0; start < n; start += FLUSH) {
    const int64_t stop = std::min(n, start + FLUSH);
    float weights = 0, lost = 0;
#pragma omp simd reduction(+ : weights, lost)
    for (int64_t token = start; token < stop; ++token) {
      const float exact = scores[token] - best, far = exact > DEEPEST ? exact : DEEPEST;
      const float weight = exact > DEEPEST ? exponential(far) : 0.0f;
      weights += weight;
      lost += weight * far;
    }
    all.weights += weights;
    all.lost += lost;
  }
  return all;
}

// The tokens that are at most `reach` below the best.
std::vector<int64_t> within(const float* scores, int64_t n, float best, float reach) {
  std::vector<int64_t> places;
  int64_t token = 0;
  for (; token + LANES <= n; token += LANES)
    for (unsigned set = reaching(scores + token, best - reach); set != 0; set &= set - 1)
      places.push_back(token + __builtin_ctz(set));
  for (; token < n; ++token)
    if (scores[token] >= best - reach) places.push_back(token);
  return places;
}

struct Better {  // the larger score first; of equal ones the first place
  const float* scores;
  bool operator()(int64_t one, int64_t other) const {
    return scores[one] != scores[other] ? scores[one] > scores[other] : one < other;
  }
};

// The places of the `count` largest, the largest first; of equal ones the first place comes first.
std::vector<int64_t> likeliest(const float* scores, int64_t n, int64_t count, float best) {
  std::vector<int64_t> places;
  for (const float reach : REACHES) {
    places = within(scores, n, best, reach);
    if (static_cast<int64_t>(places.size()) >= count) break;
  }
  if (static_cast<int64_t>(places.size()) < count) {  // the others are -infinity
    places.resize(n);
    std::iota(places.begin(), places.end(), 0);
  }
  std::partial_sort(places.begin(), places.begin() + count, places.end(), Better{scores});
  places.resize(count);
  return places;
}

// Of scores [m, n] a row [2 + 2·count] each: the logarithm of all weights, where the best one's is 1; the entropy in
// nats; the likeliest ids; and their probabilities. NaN where a row has no finite best.
at::Tensor overview(const at::Tensor& given, int64_t count) {
  const at::Tensor scores = given.contiguous();
  TORCH_CHECK(scores.dim() == 2 && scores.scalar_type() == at::kFloat, "scores must be [rows, vocab] in fp32");
  const int64_t rows = scores.size(0), n = scores.size(1);
  TORCH_CHECK(0 < count && count <= n, "as many of the likeliest as there are, at most");
  at::Tensor told = at::empty({rows, 2 + 2 * count}, scores.options().dtype(at::kDouble));
  const auto* from = scores.const_data_ptr<float>();
  auto* to = told.mutable_data_ptr<double>();
  at::parallel_for(0, rows, 1, [&](int64_t row, int64_t last) {
    for (; row < last; ++row) {
      const float* here = from + row * n;
      double* out = to + row * told.size(1);
      std::fill(out, out + told.size(1), std::numeric_limits<double>::quiet_NaN());
      const float best = best_of(here, n);
      if (!std::isfinite(best)) continue;
      const std::vector<int64_t> ids = likeliest(here, n, count, best);
      const Sums sums = sums_of(here, n, best);
      const double size = std::log(sums.weights);
      out[0] = size;
      out[1] = size - sums.lost / sums.weights;
      for (int64_t place = 0; place < count; ++place) {
        out[2 + place] = static_cast<double>(ids[place]);
        out[2 + count + place] = std::exp(static_cast<double>(here[ids[place]]) - best - size);
      }
    }
  });
  return told;
}

}  // namespace
}  // namespace playground::overview

TORCH_LIBRARY_FRAGMENT(playground, library) {
  library.def("overview(Tensor scores, int count) -> Tensor");
}
TORCH_LIBRARY_IMPL(playground, CPU, library) {
  library.impl("overview", &playground::overview::overview);
}
