// What kernels ask of a row of scores, and of the groups of a row of inputs. Knows no kernel.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

inline float best_of(const float* scores, int64_t n) {
  float best = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : best)
  for (int64_t token = 0; token < n; ++token) best = std::max(best, scores[token]);
  return best;
}

#ifdef __AVX512F__
#include <immintrin.h>

#include <vector>

// The sums of every 32 values in bf16, `count` of them.
inline std::vector<float> group_sums(const uint16_t* x, int64_t count) {
  std::vector<float> sums(count);
  const __m512i odd = _mm512_set1_epi32(static_cast<int>(0xFFFF0000));
  for (int64_t group = 0; group < count; ++group) {
    const __m512i pairs = _mm512_loadu_si512(x + group * 32);
    const __m512 even = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    sums[group] = _mm512_reduce_add_ps(_mm512_add_ps(even, _mm512_castsi512_ps(_mm512_and_si512(pairs, odd))));
  }
  return sums;
}
#endif
