#include "calibrate/import/benchmark_log.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <regex>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

constexpr double kMostSize = 1e9;  ///< of m, n, k and groups

std::optional<double> number_in(const std::string& digits) {
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// The number after `key` and blanks, e.g. 4096 in "m= 4096,".
std::optional<double> number_after(const std::string& text, const std::string& key) {
  const std::regex pattern("(?:^|[^A-Za-z_])" + key + "\\s*=\\s*([-+0-9.eE]+)");
  std::smatch match;
  if (!std::regex_search(text, match, pattern)) return std::nullopt;
  return number_in(match[1]);
}

class Log {
 public:
  Log(Imported& out, std::string place, std::int64_t gpus, std::string precision)
      : out_(out), place_(std::move(place)), gpus_(gpus), precision_(std::move(precision)) {}

  void line(const std::string& text, std::size_t number) {
    where_ = fmt::format("{}:{}", place_, number);
    if (text.find("> Perf") != std::string::npos) {
      product(text);
    } else if (text.find("[config]") != std::string::npos) {
      config_ = text;
    } else if (text.find("[tuning] Best") != std::string::npos) {
      tuned(text);
    } else if (text.find("[tuning]") != std::string::npos) {
      out_.skip("settings tried while tuning");
    } else if (text.find("Dispatch bandwidth") != std::string::npos) {
      low_latency(text);
    } else if (text.find_first_not_of(" \t\r") != std::string::npos) {
      out_.skip("other lines");
    }
  }

 private:
  double microseconds(const std::string& digits) const {
    const std::optional<double> value = number_in(digits);
    if (!value)
      throw InputError(where_, fmt::format("found a time of '{}' us, expected a number above 0", digits));
    return execution_seconds(*value, 1e-6, "us", where_) * 1e6;
  }

  void add(ImportedOperator op, double time_us) {
    for (ImportedOperator& known : out_.operators) {
      if (known.op_class != op.op_class || known.shape != op.shape || known.dtype != op.dtype) continue;
      known.seconds.push_back(time_us * 1e-6);
      return;
    }
    op.seconds = {time_us * 1e-6};
    out_.operators.push_back(std::move(op));
  }

  void product(const std::string& text) {
    static const std::regex kTime(R"(\)\s*:\s*([-+0-9.eE]+)\s*us)");
    std::smatch match;
    if (!std::regex_search(text, match, kTime))
      throw InputError(where_, "found a line '> Perf' without a time in us; was it cut off?");
    const auto n = number_after(text, "n"), k = number_after(text, "k");
    const auto groups = number_after(text, "num_groups");
    auto m = number_after(text, "m");
    if (!m) m = number_after(text, "expected_m_per_group");
    if (!m) m = number_after(text, "m_per_group");
    if (!n || !k || !m || *n < 1 || *k < 1 || *m < 1) {
      out_.skip("products whose line names no m, n and k");
      return;
    }
    for (const double size : {*m, *n, *k, groups.value_or(1)})
      if (!(size >= 1 && size <= kMostSize))
        throw InputError(where_, fmt::format("found the size {:g}, expected 1 to {:g}", size, kMostSize));
    const bool sums = text.find("acc=1") != std::string::npos;
    const std::string family = std::string(groups ? "grouped-" : "") + (sums ? "wgrad." : "gemm.");
    ImportedOperator op{.name = "DeepGEMM",
                        .op_class = family + precision_,
                        .shape = {{"m", std::llround(*m)}, {"n", std::llround(*n)}, {"k", std::llround(*k)}},
                        .dtype = precision_ == "bf16" ? "bf16" : "fp8-e4m3"};
    if (groups) op.shape["groups"] = std::llround(*groups);
    const double g = groups ? *groups : 1, e = precision_ == "bf16" ? 2 : 1;
    op.flops = 2 * g * *m * *n * *k;
    op.bytes = g * (e * *k * (*m + *n) + (sums ? 8 : 2) * *m * *n);
    add(std::move(op), microseconds(match[1]));
  }

  ImportedOperator exchange(bool dispatch, bool fast, const std::string& dtype) const {
    ImportedOperator op{.name = fast ? "DeepEP low latency" : "DeepEP normal",
                        .op_class = std::string(fast ? "communication-low-latency." : "communication.") +
                                    (dispatch ? "dispatch" : "combine"),
                        .dtype = dtype};
    const std::vector<std::pair<const char*, const char*>> keys{
        {"num_tokens", "tokens"}, {"hidden", "hidden"}, {"num_topk", "top_k"}, {"num_experts", "experts"}};
    for (const auto& [key, name] : keys)
      if (const auto value = number_after(config_, key)) op.shape[name] = std::llround(*value);
    if (gpus_ > 0) op.shape["gpus"] = gpus_;
    return op;
  }

  void tuned(const std::string& text) {
    // "... SMs 24, NVL chunk 30, 352.43 GB/s (NVL), t: 453.49 us" or "...: 240 + 2380 us, 58 GB/s (RDMA)".
    static const std::regex kTime(R"((?:t:|transmit:|\+)\s*([-+0-9.eE]+)\s*us)");
    static const std::regex kSms(R"(SMs\s+([0-9]{1,6})\b)");
    std::smatch match;
    if (!std::regex_search(text, match, kTime)) {
      out_.skip("best settings whose line has a rate but no time");
      return;
    }
    const double time = microseconds(match[1]);
    const bool dispatch = text.find("Best dispatch") != std::string::npos;
    const bool wide = !dispatch || text.find("(BF16)") != std::string::npos;
    ImportedOperator op = exchange(dispatch, false, wide ? "bfloat16" : "fp8");
    std::smatch sms;
    if (std::regex_search(text, sms, kSms)) op.shape["sms"] = std::stoll(sms[1]);
    op.shape["between_nodes"] = text.find("RDMA") != std::string::npos ? 1 : 0;
    add(std::move(op), time);
  }

  void low_latency(const std::string& text) {
    static const std::regex kTimes(R"(avg_t\s*=\s*([-+0-9.eE]+)\s*us.*avg_t\s*=\s*([-+0-9.eE]+)\s*us)");
    std::smatch match;
    if (!std::regex_search(text, match, kTimes))
      throw InputError(where_, "found a line 'Dispatch bandwidth' without both times; was it cut off?");
    add(exchange(true, true, "fp8"), microseconds(match[1]));
    add(exchange(false, true, "bfloat16"), microseconds(match[2]));
  }

  Imported& out_;
  std::string place_;
  std::int64_t gpus_;
  std::string precision_;
  std::string config_, where_;
};

}  // namespace

Imported import_benchmark_log(std::string_view text, const std::string& place, std::int64_t gpus,
                              const std::string& precision) {
  if (precision != "fp8-block" && precision != "bf16")
    throw InputError("--precision", fmt::format("found '{}', expected fp8-block or bf16", precision));
  Imported out{.source = place, .kind = "benchmark log"};
  Log log(out, place, gpus, precision);
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    log.line(std::string(text.substr(0, end)), ++number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (out.operators.empty())
    throw InputError(place,
                     "holds no line of DeepGEMM ('> Perf (m=...') or DeepEP ('[tuning] Best ...', "
                     "'Dispatch bandwidth: ...') with a time");
  return out;
}

}  // namespace orrery
