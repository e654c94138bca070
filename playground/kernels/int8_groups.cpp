// y = x · W with W in codes of 8 bits and a step for every 16 inputs: x [m, k] in bf16, sums of whole numbers in 32 bits
// and of groups in fp32. So weights that came from blocks of 5, 6 or 8 bits are multiplied as they were in their file.
// Knows no model.
//
// W comes in blocks of 608 bytes: 16 outputs by 32 inputs. The first 512 bytes are signed codes, of each pair of inputs
// both codes of 16 outputs; then two steps of each output in fp16, of the first and the last 16 inputs; then its zero in
// fp16. weight = code * step + zero.

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include "inputs.h"
#include "lanes.h"
#include "tiles.h"

namespace playground::int8_groups {
namespace {

constexpr int64_t BLOCK = 608, STEPS = 512, ZEROS = 576;

struct Product {
  const Inputs& in;
  const uint8_t* blocks;
  uint16_t* y;
  int64_t n;
};

// M rows at once, so that each weight is unpacked once for all of them.
template <int M>
void multiply(const Product& of, int64_t row, int64_t block) {
  const int64_t groups = of.in.groups;
  const uint8_t* at = of.blocks + block * groups * BLOCK;
  const int32_t* x = of.in.pairs_of(row);
  const float *steps = of.in.steps_of(row), *sums_of_x = of.in.sums_of(row);
  Floats total[M];
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m) total[m] = all_of(0.0f);
  for (int64_t group = 0; group < groups; ++group, at += BLOCK, x += PAIRS * M, steps += M, sums_of_x += M) {
#pragma GCC unroll 2
    for (int part = 0; part < 2; ++part) {
      Wholes sums[M];
#pragma GCC unroll 16
      for (int m = 0; m < M; ++m) sums[m] = no_wholes();
#pragma GCC unroll 8
      for (int pair = part * 8; pair < part * 8 + 8; ++pair) {
        const Pairs codes = load_bytes(at + pair * 32);
#pragma GCC unroll 16
        for (int m = 0; m < M; ++m) add_product(sums[m], codes, x[pair * M + m]);
      }
      const Floats step = load_halves(at + STEPS + part * 32);
#pragma GCC unroll 16
      for (int m = 0; m < M; ++m)
        total[m] = product_plus(product(step, all_of(steps[m])), floats(sums[m]), total[m]);
    }
    const Floats zero = load_halves(at + ZEROS);
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m) total[m] = product_plus(zero, all_of(sums_of_x[m]), total[m]);
  }
#pragma GCC unroll 16
  for (int m = 0; m < M; ++m) store(of.y + (row + m) * of.n + block * LANES, total[m]);
}

at::Tensor int8_groups_product(const at::Tensor& given, const at::Tensor& blocks, int64_t n) {
  const at::Tensor x = given.contiguous();
  TORCH_CHECK(x.dim() == 2 && x.scalar_type() == at::kBFloat16, "x must be [rows, inputs] in bf16");
  const int64_t rows = x.size(0), k = x.size(1);
  TORCH_CHECK(
      k % GROUP == 0 && n % LANES == 0 && blocks.is_contiguous() && blocks.scalar_type() == at::kByte &&
          blocks.numel() == n / LANES * (k / GROUP) * BLOCK,
      "the packed weights do not fit the input");
  at::Tensor y = at::empty({rows, n}, x.options());
  const Inputs in = inputs_of(static_cast<const uint16_t*>(x.const_data_ptr()), rows, k);
  const Product of{in, blocks.const_data_ptr<uint8_t>(), static_cast<uint16_t*>(y.mutable_data_ptr()), n};
  each_product(rows, n / LANES, [&](auto some, int64_t row, int64_t block) { multiply<some>(of, row, block); });
  return y;
}

}  // namespace
}  // namespace playground::int8_groups

TORCH_LIBRARY_FRAGMENT(playground, library) {
  library.def("int8_groups_product(Tensor x, Tensor blocks, int n) -> Tensor");
}
TORCH_LIBRARY_IMPL(playground, CPU, library) { library.impl("int8_groups_product", &playground::int8_groups::int8_groups_product); }
