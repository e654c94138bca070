// y = x · W with W in 4 bits, for the few rows of a step: x [m, k] in bf16, sums in fp32. torch's own product of this
// kind computes where it should read; this one is bound by memory. A row's result does not depend on the rows beside
// it: whatever M is, its sums are taken in one order. Knows no model.
//
// W comes in blocks of 320 bytes: 16 outputs by 32 inputs. Of the first 256 bytes each 16-bit word holds four codes of
// one output, of inputs 2 apart, so that one permutation turns a whole register of words into weights; then 16 scales
// and 16 zeros in bf16. weight = (code - 8) * scale + zero.

#include <immintrin.h>

#include <algorithm>
#include <limits>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include "rows.h"

namespace {

constexpr int64_t GROUP = 32, OUTPUTS = 16, BLOCK = 320, SCALES = 256, ZEROS = 288;
constexpr int64_t GRAIN = 4;  // blocks of outputs that are worth a thread
constexpr int64_t ROWS_AT_ONCE = 32, PART = 2048, AHEAD = 2;
constexpr int PARTS = 2;      // sums side by side, since one alone waits for itself

// The codes 0 to 15 as bf16 from -8 to 7. Twice, because the permutation looks at five bits and a code has four.
alignas(64) constexpr uint16_t VALUES[32] = {
    0xC100, 0xC0E0, 0xC0C0, 0xC0A0, 0xC080, 0xC040, 0xC000, 0xBF80, 0x0000, 0x3F80, 0x4000, 0x4040, 0x4080, 0x40A0,
    0x40C0, 0x40E0, 0xC100, 0xC0E0, 0xC0C0, 0xC0A0, 0xC080, 0xC040, 0xC000, 0xBF80, 0x0000, 0x3F80, 0x4000, 0x4040,
    0x4080, 0x40A0, 0x40C0, 0x40E0};

struct Product {
  const uint16_t* x;
  const float* sums;  // of each row's groups [m, k / GROUP]: what a zero is multiplied by
  const uint8_t* blocks;
  void* y;
  int64_t k, n;
};

inline __m512 widened(const uint8_t* at) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

inline void store(uint16_t* y, __m512 sums) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), (__m256i)_mm512_cvtneps_pbh(sums));
}
inline void store(float* y, __m512 sums) { _mm512_storeu_ps(y, sums); }

// M rows at once, so that each weight is unpacked once for all of them.
template <int M, typename Out>
void multiply(const Product& of, int64_t row, int64_t first, int64_t last) {
  const __m512i values = _mm512_load_si512(VALUES);
  const int64_t groups = of.k / GROUP;
  for (int64_t block = first; block < last; ++block) {
    const uint8_t* at = of.blocks + block * groups * BLOCK;
    __m512 total[M];
    for (int m = 0; m < M; ++m) total[m] = _mm512_setzero_ps();
    for (int64_t group = 0; group < groups; ++group, at += BLOCK) {
      const uint16_t* x = of.x + row * of.k + group * GROUP;
      __m512 part[M][PARTS];
      for (int m = 0; m < M; ++m)
        for (int p = 0; p < PARTS; ++p) part[m][p] = _mm512_setzero_ps();
#pragma GCC unroll 4
      for (int quarter = 0; quarter < 4; ++quarter) {
        const __m512i words = _mm512_loadu_si512(at + quarter * 64);
#pragma GCC unroll 4
        for (int code = 0; code < 4; ++code) {
          const __m512i weights = _mm512_permutexvar_epi16(_mm512_srli_epi16(words, 4 * code), values);
#pragma GCC unroll 16
          for (int m = 0; m < M; ++m) {
            int pair;
            __builtin_memcpy(&pair, x + m * of.k + (quarter * 4 + code) * 2, sizeof(pair));
            __m512& sum = part[m][code % PARTS];
            sum = _mm512_dpbf16_ps(sum, (__m512bh)weights, (__m512bh)_mm512_set1_epi32(pair));
          }
        }
      }
      const __m512 scale = widened(at + SCALES), zero = widened(at + ZEROS);
#pragma GCC unroll 16
      for (int m = 0; m < M; ++m) {
        total[m] = _mm512_fmadd_ps(scale, _mm512_add_ps(part[m][0], part[m][1]), total[m]);
        total[m] = _mm512_fmadd_ps(zero, _mm512_set1_ps(of.sums[(row + m) * groups + group]), total[m]);
      }
    }
    for (int m = 0; m < M; ++m) store(static_cast<Out*>(of.y) + (row + m) * of.n + block * OUTPUTS, total[m]);
  }
}

template <typename Out>
void multiply_all(const Product& of, int64_t rows, int64_t first, int64_t last) {
  int64_t row = 0;
  for (; row + 8 <= rows; row += 8) multiply<8, Out>(of, row, first, last);
  for (; row + 4 <= rows; row += 4) multiply<4, Out>(of, row, first, last);
  for (; row + 2 <= rows; row += 2) multiply<2, Out>(of, row, first, last);
  for (; row < rows; ++row) multiply<1, Out>(of, row, first, last);
}

at::Tensor checked(const at::Tensor& given, const at::Tensor& blocks, int64_t n) {
  const at::Tensor x = given.contiguous();
  TORCH_CHECK(x.dim() == 2 && x.scalar_type() == at::kBFloat16, "x must be [rows, inputs] in bf16");
  TORCH_CHECK(
      x.size(1) % GROUP == 0 && n % OUTPUTS == 0 && blocks.is_contiguous() && blocks.scalar_type() == at::kByte &&
          blocks.numel() == n / OUTPUTS * (x.size(1) / GROUP) * BLOCK,
      "the packed weights do not fit the input");
  return x;
}

const uint16_t* bits(const at::Tensor& x) { return static_cast<const uint16_t*>(x.const_data_ptr()); }

template <typename Out>
at::Tensor product(const at::Tensor& x, const at::Tensor& blocks, int64_t n, at::ScalarType type) {
  at::Tensor y = at::empty({x.size(0), n}, x.options().dtype(type));
  const std::vector<float> sums = group_sums(bits(x), x.numel() / GROUP);
  const Product of{bits(x), sums.data(), blocks.const_data_ptr<uint8_t>(), y.mutable_data_ptr(), x.size(1), n};
  at::parallel_for(0, n / OUTPUTS, GRAIN, [&](int64_t first, int64_t last) {
    multiply_all<Out>(of, x.size(0), first, last);
  });
  return y;
}

at::Tensor int4_product(const at::Tensor& given, const at::Tensor& blocks, int64_t n) {
  return product<uint16_t>(checked(given, blocks, n), blocks, n, at::kBFloat16);
}

float dot(const uint16_t* x, const uint16_t* weights, int64_t k) {
  __m512 sums[3] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
  int64_t at = 0, turn = 0;
  for (; at < k; at += GROUP, turn = turn == 2 ? 0 : turn + 1) {
    const __m512i one = _mm512_loadu_si512(x + at), other = _mm512_loadu_si512(weights + at);
    sums[turn] = _mm512_dpbf16_ps(sums[turn], (__m512bh)one, (__m512bh)other);
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), sums[2]));
}

void fetch(const uint16_t* weights, int64_t k) {
  for (int64_t at = 0; at < k; at += GROUP) _mm_prefetch(reinterpret_cast<const char*>(weights + at), _MM_HINT_T0);
}

struct Again {
  int64_t token;
  uint32_t rows;  // a bit for each row that is near its best there
};

// The tokens [first, last) for which some of these rows [rows, n] score at least the row's `least`.
std::vector<Again> reaching(
    const float* scores, int64_t rows, int64_t n, const float* least, int64_t first, int64_t last) {
  std::vector<Again> found;
  alignas(64) uint32_t wanted[OUTPUTS];
  for (int64_t token = first; token < last; token += OUTPUTS) {
    __m512i set = _mm512_setzero_si512();
    for (int64_t row = 0; row < rows; ++row) {
      const __m512 here = _mm512_loadu_ps(scores + row * n + token);
      const __mmask16 near = _mm512_cmp_ps_mask(here, _mm512_set1_ps(least[row]), _CMP_GE_OQ);
      set = _mm512_mask_or_epi32(set, near, set, _mm512_set1_epi32(1 << row));
    }
    unsigned some = _mm512_test_epi32_mask(set, set);
    _mm512_store_si512(wanted, set);
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
  at::Tensor scores = product<float>(x, blocks, n, at::kFloat);
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
        parts[part] = reaching(here, some, n, least, part * PART, std::min(n, (part + 1) * PART));
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

TORCH_LIBRARY_FRAGMENT(playground, library) {
  library.def("int4_product(Tensor x, Tensor blocks, int n) -> Tensor");
  library.def("int4_scores(Tensor x, Tensor blocks, Tensor weights, float near) -> Tensor");
}
TORCH_LIBRARY_IMPL(playground, CPU, library) {
  library.impl("int4_product", &int4_product);
  library.impl("int4_scores", &int4_scores);
}
