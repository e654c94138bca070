// y = x · W with W in codes of 8 bits and a step for every 16 inputs, for the few rows of a step: x [m, k] in bf16, sums
// in fp32. So weights that came from blocks of 5, 6 or 8 bits are multiplied as they were in their file. A row's result
// does not depend on the rows beside it. Knows no model.
//
// W comes in blocks of 608 bytes: 16 outputs by 32 inputs. The first 512 bytes are signed codes, the two inputs of a
// pair each in a run of 16 outputs; then two steps of each output in fp16, of the first and the last 16 inputs; then its
// zero in fp16. weight = code * step + zero.

#include <immintrin.h>

#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include "rows.h"

namespace {

constexpr int64_t GROUP = 32, OUTPUTS = 16, BLOCK = 608, STEPS = 512, ZEROS = 576;
constexpr int64_t GRAIN = 4;  // blocks of outputs that are worth a thread

struct Product {
  const uint16_t* x;
  const float* sums;  // of each row's groups [m, k / GROUP]: what a zero is multiplied by
  const uint8_t* blocks;
  uint16_t* y;
  int64_t k, n;
};

// 16 codes as fp32. They are whole numbers up to 128, so that the lower half of each is empty: it would be a bf16.
inline __m512 codes(const uint8_t* at) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))));
}

inline __m512 half(const uint8_t* at) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}

// M rows at once, so that each weight is unpacked once for all of them.
template <int M>
void multiply(const Product& of, int64_t row, int64_t first, int64_t last) {
  const int64_t groups = of.k / GROUP;
  for (int64_t block = first; block < last; ++block) {
    const uint8_t* at = of.blocks + block * groups * BLOCK;
    __m512 total[M];
    for (int m = 0; m < M; ++m) total[m] = _mm512_setzero_ps();
    for (int64_t group = 0; group < groups; ++group, at += BLOCK) {
      const uint16_t* x = of.x + row * of.k + group * GROUP;
#pragma GCC unroll 2
      for (int part = 0; part < 2; ++part) {
        __m512 sums[M][2];
        for (int m = 0; m < M; ++m) sums[m][0] = sums[m][1] = _mm512_setzero_ps();
#pragma GCC unroll 8
        for (int pair = 0; pair < 8; ++pair) {
          const uint8_t* here = at + (part * 8 + pair) * 32;
          const __m512i even = _mm512_castps_si512(codes(here)), odd = _mm512_castps_si512(codes(here + 16));
          const __m512i weights = _mm512_or_si512(_mm512_srli_epi32(even, 16), odd);
#pragma GCC unroll 16
          for (int m = 0; m < M; ++m) {
            int two;
            __builtin_memcpy(&two, x + m * of.k + (part * 8 + pair) * 2, sizeof(two));
            __m512& sum = sums[m][pair % 2];
            sum = _mm512_dpbf16_ps(sum, (__m512bh)weights, (__m512bh)_mm512_set1_epi32(two));
          }
        }
        const __m512 step = half(at + STEPS + part * 32);
#pragma GCC unroll 16
        for (int m = 0; m < M; ++m)
          total[m] = _mm512_fmadd_ps(step, _mm512_add_ps(sums[m][0], sums[m][1]), total[m]);
      }
      const __m512 zero = half(at + ZEROS);
#pragma GCC unroll 16
      for (int m = 0; m < M; ++m)
        total[m] = _mm512_fmadd_ps(zero, _mm512_set1_ps(of.sums[(row + m) * groups + group]), total[m]);
    }
    for (int m = 0; m < M; ++m)
      _mm256_storeu_si256(
          reinterpret_cast<__m256i*>(of.y + (row + m) * of.n + block * OUTPUTS), (__m256i)_mm512_cvtneps_pbh(total[m]));
  }
}

at::Tensor int8_groups_product(const at::Tensor& given, const at::Tensor& blocks, int64_t n) {
  const at::Tensor x = given.contiguous();
  TORCH_CHECK(x.dim() == 2 && x.scalar_type() == at::kBFloat16, "x must be [rows, inputs] in bf16");
  TORCH_CHECK(
      x.size(1) % GROUP == 0 && n % OUTPUTS == 0 && blocks.is_contiguous() && blocks.scalar_type() == at::kByte &&
          blocks.numel() == n / OUTPUTS * (x.size(1) / GROUP) * BLOCK,
      "the packed weights do not fit the input");
  at::Tensor y = at::empty({x.size(0), n}, x.options());
  const auto* bits = static_cast<const uint16_t*>(x.const_data_ptr());
  const std::vector<float> sums = group_sums(bits, x.numel() / GROUP);
  const Product of{
      bits, sums.data(), blocks.const_data_ptr<uint8_t>(), static_cast<uint16_t*>(y.mutable_data_ptr()), x.size(1), n};
  at::parallel_for(0, n / OUTPUTS, GRAIN, [&](int64_t first, int64_t last) {
    const int64_t rows = x.size(0);
    int64_t row = 0;
    for (; row + 8 <= rows; row += 8) multiply<8>(of, row, first, last);
    for (; row + 4 <= rows; row += 4) multiply<4>(of, row, first, last);
    for (; row + 2 <= rows; row += 2) multiply<2>(of, row, first, last);
    for (; row < rows; ++row) multiply<1>(of, row, first, last);
  });
  return y;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(playground, library) {
  library.def("int8_groups_product(Tensor x, Tensor blocks, int n) -> Tensor");
}
TORCH_LIBRARY_IMPL(playground, CPU, library) { library.impl("int8_groups_product", &int8_groups_product); }
