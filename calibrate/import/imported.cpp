#include "calibrate/import/imported.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/base/fields.hpp"

namespace orrery {
namespace {

constexpr std::size_t kMostBytes = std::size_t{2} << 30;

bool is_gzip(const std::string& text) {
  return text.size() >= 2 && text[0] == '\x1f' && text[1] == '\x8b';
}

std::string unpack(const std::string& packed, const std::string& path) {
  z_stream stream{};
  // 16 + 15: gzip framing with the largest window.
  if (inflateInit2(&stream, 16 + 15) != Z_OK) throw InputError(path, "zlib cannot start");
  struct End {
    z_stream* s;
    ~End() { inflateEnd(s); }
  } end{&stream};
  std::string text, piece(1 << 18, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  int state = Z_OK;
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    state = inflate(&stream, Z_NO_FLUSH);
    text.append(piece.data(), piece.size() - stream.avail_out);
    if (text.size() > kMostBytes) throw InputError(path, "unpacks to more than 2 GiB; cut the trace shorter");
    if (state == Z_STREAM_END) {
      // Archives may be joined.
      if (stream.avail_in == 0) return text;
      if (inflateReset(&stream) != Z_OK) break;
      continue;
    }
    if (state != Z_OK) break;
    if (stream.avail_in == 0 && stream.avail_out != 0) break;
  }
  throw InputError(path, fmt::format("the gzip archive is {} after {} unpacked bytes; copy the file again",
                                     stream.avail_in == 0 ? "cut off" : "damaged", text.size()));
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

double execution_seconds(double found, double unit_s, const char* unit, const std::string& where) {
  constexpr double kLeast = 1e-10, kMost = 1e6;
  if (!std::isfinite(found) || found <= 0)
    throw InputError(where, fmt::format("found a time of {:g} {}, expected a number above 0", found, unit));
  const double seconds = found * unit_s;
  if (seconds < kLeast || seconds > kMost)
    throw InputError(
        where, fmt::format("found a time of {:g} {}, expected {:g} to {:g}; is the unit another?", found,
                           unit, kLeast / unit_s, kMost / unit_s));
  return seconds;
}

std::string read_maybe_gzip(const std::string& path) {
  std::string text = read_file(path);
  if (text.empty()) throw InputError(path, "the file is empty");
  return is_gzip(text) ? unpack(text, path) : text;
}

std::string to_json_text(const Imported& imported) {
  Json out = Json::object();
  out["schema"] = "orrery.samples/1";
  out["source"] = imported.source;
  out["kind"] = imported.kind;
  Json about = Json::object();
  for (const auto& [key, value] : imported.about) about[key] = value;
  out["about"] = std::move(about);
  Json operators = Json::array();
  for (const ImportedOperator& op : imported.operators) {
    Json shape = Json::object();
    for (const auto& [key, value] : op.shape) shape[key] = value;
    Json row = {{"name", op.name},
                {"class", op.op_class},
                {"shape", std::move(shape)},
                {"dtype", op.dtype},
                {"count", op.seconds.size()}};
    row["mean_us"] = mean(op.seconds) * 1e6;
    row["p50_us"] = median(op.seconds) * 1e6;
    row["min_us"] = *std::min_element(op.seconds.begin(), op.seconds.end()) * 1e6;
    row["max_us"] = *std::max_element(op.seconds.begin(), op.seconds.end()) * 1e6;
    row["stream"] = op.stream;
    if (op.watts) row["watts"] = *op.watts;
    operators.push_back(std::move(row));
  }
  out["operators"] = std::move(operators);
  Json skipped = Json::array();
  for (const auto& [reason, count] : imported.skipped)
    skipped.push_back({{"reason", reason}, {"count", count}});
  out["skipped"] = std::move(skipped);
  return out.dump(2) + "\n";
}

SampleFile to_samples(const Imported& imported) {
  SampleFile file;
  file.about = imported.about;
  file.about["source"] = imported.source;
  for (const ImportedOperator& op : imported.operators) {
    if (op.op_class.empty()) continue;
    Samples samples;
    for (const double s : op.seconds) {
      Sample& sample = samples.values.emplace_back();
      sample.seconds = s;
      sample.watts = op.watts;
    }
    samples.flops = op.flops;
    samples.bytes = op.bytes;
    Outcome outcome;
    outcome.what = {.op_class = op.op_class,
                    .name = op.name,
                    .shape = op.shape,
                    .dtype = op.dtype,
                    .sustained = op.sustained};
    outcome.answer = std::move(samples);
    file.outcomes.push_back(std::move(outcome));
  }
  return file;
}

}  // namespace orrery
