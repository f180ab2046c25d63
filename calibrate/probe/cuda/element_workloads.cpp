#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "calibrate/probe/cuda/kernels.hpp"
#include "calibrate/probe/cuda/workload.hpp"

namespace orrery {
namespace {

const std::map<std::string, ElementKernel> kKernels{
    {"own residual add", ElementKernel::kResidualAdd},
    {"own swiglu", ElementKernel::kSwiGlu},
    {"own rotary", ElementKernel::kRotary},
    {"own permute rows", ElementKernel::kPermuteRows},
    {"own quantise 1x128", ElementKernel::kQuantise},
    {"own rmsnorm", ElementKernel::kRmsNorm},
    {"own cast and transpose", ElementKernel::kCastTranspose}};

class Element : public ProbeCase {
 public:
  Element(ElementKernel kernel, std::int64_t rows, std::int64_t width, Device& device)
      : kernel_(kernel), device_(device), seed_(device.fresh_seed()), other_seed_(device.fresh_seed()) {
    const std::int64_t elements = rows * width, inputs = kernel == ElementKernel::kSwiGlu ? 2 : 1;
    x_ = Buffer(inputs * elements * 2);
    check(launch_fill(Fill::kBf16, x_.data(), inputs * elements, seed_, device.stream), "fill");
    if (kernel == ElementKernel::kResidualAdd || kernel == ElementKernel::kRmsNorm) {
      const std::int64_t count = kernel == ElementKernel::kRmsNorm ? width : elements;
      y_ = Buffer(count * 2);
      check(launch_fill(Fill::kBf16, y_.data(), count, other_seed_, device.stream), "fill");
    }
    g_ = {.x = x_.as<std::uint16_t>(), .y = y_.as<std::uint16_t>(), .rows = rows, .width = width};
    if (kernel == ElementKernel::kRotary) make_angles();
    if (kernel == ElementKernel::kPermuteRows) make_permutation();
    if (is_quantising()) {
      out_ = Buffer(elements);
      scales_ = Buffer(elements / 128 * 4);
      g_.codes = out_.as<std::uint8_t>();
      g_.scales = scales_.as<float>();
      scales_.poison(device.stream);
    } else {
      out_ = Buffer(elements * 2);
      g_.out = out_.as<std::uint16_t>();
    }
    out_.poison(device.stream);
  }

  std::optional<Verified> verify() override {
    launch(device_.stream);
    // Rows (of the result) at the beginning, in the middle and at the end, every element of them.
    const std::int64_t out_rows = kernel_ == ElementKernel::kCastTranspose ? g_.width : g_.rows;
    Distance distance;
    for (const std::int64_t row :
         {std::int64_t{0}, std::int64_t{1}, out_rows / 2, out_rows - 2, out_rows - 1})
      check_row(row, distance);
    return Verified{.error = distance.value(), .limit = is_quantising() ? 0.035 : 4e-3};
  }
  void launch(cudaStream_t stream) override {
    check(launch_element(kernel_, g_, stream), "element-wise kernel");
  }

 private:
  [[nodiscard]] bool is_quantising() const {
    return kernel_ == ElementKernel::kQuantise || kernel_ == ElementKernel::kCastTranspose;
  }
  [[nodiscard]] double x(std::int64_t i) const {
    return static_cast<double>(round_to_bf16(random_normal(seed_, static_cast<std::uint64_t>(i))));
  }
  [[nodiscard]] double y(std::int64_t i) const {
    return static_cast<double>(round_to_bf16(random_normal(other_seed_, static_cast<std::uint64_t>(i))));
  }
  void make_angles() {
    const std::int64_t pairs = g_.head / 2;
    std::vector<float> angles(static_cast<std::size_t>(2 * g_.rows * pairs));
    for (std::int64_t row = 0; row < g_.rows; ++row) {
      for (std::int64_t j = 0; j < pairs; ++j) {
        const double angle = angle_of(row, j);
        angles[static_cast<std::size_t>(row * pairs + j)] = static_cast<float>(std::cos(angle));
        angles[static_cast<std::size_t>((g_.rows + row) * pairs + j)] = static_cast<float>(std::sin(angle));
      }
    }
    extra_ = upload(angles, device_.stream);
    g_.angles = extra_.as<float>();
  }
  /// arXiv 2104.09864: base 10000.
  [[nodiscard]] double angle_of(std::int64_t row, std::int64_t j) const {
    return static_cast<double>(row % 8192) * std::pow(10000.0, -2.0 * static_cast<double>(j) / g_.head);
  }
  void make_permutation() {
    source_.resize(static_cast<std::size_t>(g_.rows));
    for (std::size_t i = 0; i < source_.size(); ++i) source_[i] = static_cast<std::int32_t>(i);
    for (std::size_t i = source_.size(); i > 1; --i)  // Fisher-Yates
      std::swap(source_[i - 1], source_[mix(seed_ + static_cast<std::uint32_t>(i)) % i]);
    extra_ = upload(source_, device_.stream);
    g_.source = extra_.as<std::int32_t>();
  }

  [[nodiscard]] double expected(std::int64_t row, std::int64_t column, double row_factor) const {
    const std::int64_t i = row * g_.width + column;
    switch (kernel_) {
      case ElementKernel::kResidualAdd: return x(i) + y(i);
      case ElementKernel::kSwiGlu: {
        const double gate = x(row * 2 * g_.width + column), up = x(row * 2 * g_.width + g_.width + column);
        return gate / (1 + std::exp(-gate)) * up;
      }
      case ElementKernel::kRotary: {
        const double angle = angle_of(row, column % g_.head / 2), a = x(i - i % 2), b = x(i - i % 2 + 1);
        return i % 2 == 0 ? a * std::cos(angle) - b * std::sin(angle)
                          : a * std::sin(angle) + b * std::cos(angle);
      }
      case ElementKernel::kPermuteRows: return x(source_[static_cast<std::size_t>(row)] * g_.width + column);
      case ElementKernel::kRmsNorm: return x(i) * row_factor * y(column);
      case ElementKernel::kQuantise: return x(i);
      case ElementKernel::kCastTranspose: return x(column * g_.width + row);
    }
    return 0;
  }

  void check_row(std::int64_t row, Distance& distance) {
    const std::int64_t length = kernel_ == ElementKernel::kCastTranspose ? g_.rows : g_.width;
    const std::int64_t out_rows = kernel_ == ElementKernel::kCastTranspose ? g_.width : g_.rows;
    double row_factor = 1;
    if (kernel_ == ElementKernel::kRmsNorm) {
      double squares = 0;
      for (std::int64_t c = 0; c < length; ++c) squares += x(row * length + c) * x(row * length + c);
      row_factor = 1 / std::sqrt(squares / static_cast<double>(length) + 1e-6);
    }
    if (is_quantising()) {
      const std::vector<std::uint8_t> codes = download(g_.codes, row * length, length, device_.stream);
      // One scale per 128 elements, stored [block][row].
      std::vector<float> scales;
      for (std::int64_t block = 0; block < length / 128; ++block)
        scales.push_back(download(g_.scales, block * out_rows + row, 1, device_.stream)[0]);
      for (std::int64_t c = 0; c < length; ++c) {
        const double found = static_cast<double>(from_e4m3(codes[static_cast<std::size_t>(c)])) *
                             static_cast<double>(scales[static_cast<std::size_t>(c / 128)]);
        distance.add(found, expected(row, c, row_factor));
      }
      return;
    }
    const std::vector<std::uint16_t> found = download(g_.out, row * length, length, device_.stream);
    for (std::int64_t c = 0; c < length; ++c)
      distance.add(static_cast<double>(from_bf16(found[static_cast<std::size_t>(c)])),
                   expected(row, c, row_factor));
  }

  ElementKernel kernel_;
  Device& device_;
  std::uint32_t seed_, other_seed_;
  Buffer x_, y_, extra_, out_, scales_;
  std::vector<std::int32_t> source_;
  ElementArguments g_;
};

}  // namespace

ProbeCasePtr make_element(const Case& what, Device& device) {
  const auto kernel = kKernels.find(what.name);
  if (kernel == kKernels.end()) unsupported("no kernel is called '" + what.name + "'");
  const std::int64_t rows = size_of(what.shape, "rows"), width = size_of(what.shape, "width");
  if (rows < 2 || width < 128 || width % 128 != 0) unsupported("needs two rows and a width that 128 divides");
  if (kernel->second == ElementKernel::kCastTranspose && rows % 128 != 0)
    unsupported("needs rows that 128 divides");
  if (kernel->second == ElementKernel::kRmsNorm && width > 16384) unsupported("the width is at most 16384");
  return std::make_unique<Element>(kernel->second, rows, width, device);
}

}  // namespace orrery
