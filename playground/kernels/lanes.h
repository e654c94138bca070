// Sixteen outputs at once, with AVX-512 or with AVX2: what the kernels ask of either. Knows no kernel.
//
// Products are sums of whole numbers: inputs of 16 bits by codes of 8 bits or fewer, two inputs of each output in one
// instruction, in sums of 32 bits. So they are exact, and the same on every machine.
#pragma once

#include <immintrin.h>

#include <cstdint>

constexpr int64_t LANES = 16;

#ifdef __AVX512BW__

constexpr int ROWS_IN_REGISTERS = 8;  // for which the sums of a block fit into the registers

using Pairs = __m512i;   // two codes of 16 bits of each output, one above the other
using Wholes = __m512i;  // 32 bits of each output
using Floats = __m512;

inline Pairs load_pairs(const uint8_t* at) { return _mm512_loadu_si512(at); }
inline Pairs load_bytes(const uint8_t* at) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}
template <int Place>
Pairs nibbles(Pairs words) {
  const Pairs moved = Place == 0 ? words : _mm512_srli_epi16(words, 4 * Place);
  return Place == 3 ? moved : _mm512_and_si512(moved, _mm512_set1_epi16(15));
}

inline Wholes no_wholes() { return _mm512_setzero_si512(); }
inline void add_product(Wholes& sums, Pairs codes, int two) {
#ifdef __AVX512VNNI__
  sums = _mm512_dpwssd_epi32(sums, codes, _mm512_set1_epi32(two));
#else
  sums = _mm512_add_epi32(sums, _mm512_madd_epi16(codes, _mm512_set1_epi32(two)));
#endif
}

inline Floats load_halves(const uint8_t* at) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}
inline Floats load_floats(const float* at) { return _mm512_loadu_ps(at); }
inline Floats load_bf16(const uint16_t* at) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}
inline Floats all_of(float value) { return _mm512_set1_ps(value); }
inline Floats floats(Wholes sums) { return _mm512_cvtepi32_ps(sums); }
inline Floats product(Floats one, Floats other) { return _mm512_mul_ps(one, other); }
inline Floats product_plus(Floats one, Floats other, Floats sum) { return _mm512_fmadd_ps(one, other, sum); }
inline Floats larger(Floats one, Floats other) { return _mm512_max_ps(one, other); }
inline Floats size_of(Floats of) { return _mm512_abs_ps(of); }
inline float sum_of(Floats of) { return _mm512_reduce_add_ps(of); }
inline float largest_of(Floats of) { return _mm512_reduce_max_ps(of); }

// A bit for each score that is at least this; none for NaN.
inline unsigned reaching(const float* scores, float least) {
  return _mm512_cmp_ps_mask(_mm512_loadu_ps(scores), _mm512_set1_ps(least), _CMP_GE_OQ);
}

inline void store(float* y, Floats values) { _mm512_storeu_ps(y, values); }
inline void store_wholes(int16_t* y, Floats values) {  // rounded to the nearest
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(values)));
}
inline void store(uint16_t* y, Floats values) {  // as the nearest bf16, the even one of two as near; NaN stays NaN
  const __m512i one = _mm512_castps_si512(values);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(one, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(one, _mm512_set1_epi32(0x7FFF)), odd);
  const __mmask16 none = _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q);
  const __m512i bits = _mm512_mask_mov_epi32(rounded, none, _mm512_set1_epi32(0x7FC00000));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), _mm512_cvtepi32_epi16(_mm512_srli_epi32(bits, 16)));
}

#else  // AVX2

constexpr int ROWS_IN_REGISTERS = 4;

struct Pairs {
  __m256i low, high;
};
struct Wholes {
  __m256i low, high;
};
struct Floats {
  __m256 low, high;
};

inline __m256i load_half(const void* at) { return _mm256_loadu_si256(static_cast<const __m256i*>(at)); }
inline __m128i load_quarter(const void* at) { return _mm_loadu_si128(static_cast<const __m128i*>(at)); }

inline Pairs load_pairs(const uint8_t* at) { return {load_half(at), load_half(at + 32)}; }
inline Pairs load_bytes(const uint8_t* at) {
  return {_mm256_cvtepi8_epi16(load_quarter(at)), _mm256_cvtepi8_epi16(load_quarter(at + 16))};
}
template <int Place>
__m256i nibbles(__m256i words) {
  const __m256i moved = Place == 0 ? words : _mm256_srli_epi16(words, 4 * Place);
  return Place == 3 ? moved : _mm256_and_si256(moved, _mm256_set1_epi16(15));
}
template <int Place>
Pairs nibbles(Pairs words) {
  return {nibbles<Place>(words.low), nibbles<Place>(words.high)};
}

inline Wholes no_wholes() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
inline void add_product(Wholes& sums, Pairs codes, int two) {
  const __m256i inputs = _mm256_set1_epi32(two);
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(codes.low, inputs));
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(codes.high, inputs));
  asm("" : "+x"(sums.low), "+x"(sums.high));  // else all products are made first, for which there are no registers
}

inline Floats load_halves(const uint8_t* at) {
  return {_mm256_cvtph_ps(load_quarter(at)), _mm256_cvtph_ps(load_quarter(at + 16))};
}
inline Floats load_floats(const float* at) { return {_mm256_loadu_ps(at), _mm256_loadu_ps(at + 8)}; }
inline __m256 widened(__m128i halves) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}
inline Floats load_bf16(const uint16_t* at) { return {widened(load_quarter(at)), widened(load_quarter(at + 8))}; }
inline Floats all_of(float value) { return {_mm256_set1_ps(value), _mm256_set1_ps(value)}; }
inline Floats floats(Wholes sums) { return {_mm256_cvtepi32_ps(sums.low), _mm256_cvtepi32_ps(sums.high)}; }
inline Floats product(Floats one, Floats other) {
  return {_mm256_mul_ps(one.low, other.low), _mm256_mul_ps(one.high, other.high)};
}
inline Floats product_plus(Floats one, Floats other, Floats sum) {
  return {_mm256_fmadd_ps(one.low, other.low, sum.low), _mm256_fmadd_ps(one.high, other.high, sum.high)};
}
inline Floats larger(Floats one, Floats other) {
  return {_mm256_max_ps(one.low, other.low), _mm256_max_ps(one.high, other.high)};
}
inline Floats size_of(Floats of) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, of.low), _mm256_andnot_ps(sign, of.high)};
}
inline float sum_of(Floats of) {
  const __m256 eight = _mm256_add_ps(of.low, of.high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float largest_of(Floats of) {
  const __m256 eight = _mm256_max_ps(of.low, of.high);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

inline unsigned reaching(const float* scores, float least) {
  const __m256 than = _mm256_set1_ps(least);
  const unsigned low = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(scores), than, _CMP_GE_OQ));
  const unsigned high = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(scores + 8), than, _CMP_GE_OQ));
  return low | high << 8;
}

inline void store(float* y, Floats values) {
  _mm256_storeu_ps(y, values.low);
  _mm256_storeu_ps(y + 8, values.high);
}
inline void store_halves(void* y, __m256i mixed) {  // what packing two registers into one has left in quarters
  _mm256_storeu_si256(static_cast<__m256i*>(y), _mm256_permute4x64_epi64(mixed, 0xD8));
}
inline void store_wholes(int16_t* y, Floats values) {
  store_halves(y, _mm256_packs_epi32(_mm256_cvtps_epi32(values.low), _mm256_cvtps_epi32(values.high)));
}
inline __m256i rounded(__m256 values) {
  const __m256i one = _mm256_castps_si256(values);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(one, 16), _mm256_set1_epi32(1));
  const __m256i bits = _mm256_add_epi32(_mm256_add_epi32(one, _mm256_set1_epi32(0x7FFF)), odd);
  const __m256i none = _mm256_castps_si256(_mm256_cmp_ps(values, values, _CMP_UNORD_Q));
  return _mm256_srli_epi32(_mm256_blendv_epi8(bits, _mm256_set1_epi32(0x7FC00000), none), 16);
}
inline void store(uint16_t* y, Floats values) {
  store_halves(y, _mm256_packus_epi32(rounded(values.low), rounded(values.high)));
}

#endif
