#include "sim/hw/comm_curves.hpp"

#include "tests/sim/hw/profile_files.hpp"

namespace orrery::test {
namespace {

CollectiveCurve curve(const char* operation, std::int64_t gpus, std::vector<CollectiveProtocol> protocols) {
  CollectiveCurve c;
  c.operation = operation;
  c.gpus = gpus;
  c.protocols = std::move(protocols);
  return c;
}

// 10 us and 100 GB/s, added (p = 1): 1 MB takes 10 + 10 us.
constexpr CollectiveProtocol kSmall{.from_bytes = 0, .latency_s = 10e-6, .bytes_per_s = 100e9, .overlap = 1};

TEST(CollectiveCurve, AddsLatencyAndBytesOverRate) {
  EXPECT_DOUBLE_EQ(collective_seconds({{kSmall}}, 1e6), 20e-6);
  EXPECT_DOUBLE_EQ(collective_seconds({{kSmall}}, 0), 10e-6);
  // p = 2: sqrt(3^2 + 4^2) = 5 us.
  const CollectiveProtocol two{.latency_s = 3e-6, .bytes_per_s = 100e9, .overlap = 2};
  EXPECT_DOUBLE_EQ(collective_seconds({{two}}, 4e5), 5e-6);
}

TEST(CollectiveCurve, ChangesItsProtocolAtASizeAndNeverFallsThere) {
  // From 1 MB on 30 us + bytes at 200 GB/s: just below 20 us, at 1 MB 35 us.
  const CollectiveProtocol large{.from_bytes = 1e6, .latency_s = 30e-6, .bytes_per_s = 200e9, .overlap = 1};
  EXPECT_NEAR(collective_seconds({{kSmall, large}}, 0.999e6), 19.99e-6, 1e-12);
  EXPECT_DOUBLE_EQ(collective_seconds({{kSmall, large}}, 1e6), 35e-6);
  // Without latency the second alone would take 5 us at 1 MB: the 20 us of the first hold until 4 MB.
  const CollectiveProtocol fast{.from_bytes = 1e6, .latency_s = 0, .bytes_per_s = 200e9, .overlap = 1};
  EXPECT_DOUBLE_EQ(collective_seconds({{kSmall, fast}}, 1e6), 20e-6);
  EXPECT_DOUBLE_EQ(collective_seconds({{kSmall, fast}}, 4e6), 20e-6);
  EXPECT_DOUBLE_EQ(collective_seconds({{kSmall, fast}}, 8e6), 40e-6);
}

TEST(CollectiveCurve, OfFasterLinksIsFasterByTheirRatio) {
  // Twice the rate and half the latency: 5 + 5 us.
  EXPECT_DOUBLE_EQ(collective_seconds({{kSmall}}, 1e6, {.rate = 2, .latency = 0.5}), 10e-6);
}

TEST(CollectiveCurves, InterpolateBetweenNumbersOfGpus) {
  CollectiveCurves all;
  all.curves = {curve("all-gather", 8, {kSmall}),
                curve("all-gather", 2, {{.latency_s = 2.5e-6, .bytes_per_s = 400e9, .overlap = 1}})};
  const auto at = [&](double n) { return measured_seconds(all, "all-gather", 1e6, n).value(); };
  EXPECT_DOUBLE_EQ(at(2), 5e-6);
  EXPECT_DOUBLE_EQ(at(8), 20e-6);
  // log 4 lies in the middle of log 2 and log 8: the geometric mean of 5 and 20 us is 10 us.
  EXPECT_NEAR(at(4), 10e-6, 1e-15);
  // Above 8 the latency grows with log n: 64 GPUs 20 us of it, 10 us of bytes as before.
  EXPECT_NEAR(at(64), 30e-6, 1e-15);
  EXPECT_FALSE(measured_seconds(all, "all-reduce", 1e6, 4).has_value());
}

TEST(CollectiveCurves, CountWhatOneGpuSends) {
  EXPECT_DOUBLE_EQ(sent_bytes("all-gather", 8e6, 8), 7e6);
  EXPECT_DOUBLE_EQ(sent_bytes("all-reduce", 8e6, 8), 14e6);
  EXPECT_DOUBLE_EQ(sent_bytes("send-recv", 8e6, 2), 8e6);
}

TEST(ExchangeCurve, TakesLinksAndSmsTogether) {
  ExchangeCurve c;
  c.latency_s = 10e-6;
  c.row_s = 1e-9;  // 1,000 bytes: 1 us
  c.overlap = 1;
  c.bytes_per_s = 100e9;
  c.sm_bytes_per_s = 10e9;
  c.sm_overlap = 1;
  c.own_rows = 1;
  c.row_bytes = 500;
  // 1,000 tokens of 1,000 bytes to 4 GPUs: 4 MB over the link 40 us; 10 SMs handle 1,000 x (4 + 1) x 1,500
  // bytes at 100 GB/s, 75 us; 11 us before.
  const ExchangeSize size{.tokens = 1000, .row_bytes = 1000, .targets = 4, .sms = 10};
  EXPECT_NEAR(exchange_seconds(c, size), 126e-6, 1e-12);
  // Links twice as fast: 20 us less. SMs do not change.
  EXPECT_NEAR(exchange_seconds(c, size, {.rate = 2}), 106e-6, 1e-12);
}

/// An H100 cluster after `change`.
template <class Change>
std::string complaint(Change change) {
  Json json = shipped_json("cluster", "h100-sxm-ib400");
  change(json);
  const ScratchProfiles scratch;
  scratch.write("gpu", "h100-sxm", shipped_json("gpu", "h100-sxm").dump());
  scratch.write("cluster", "changed", json.dump());
  return input_error([&] { (void)load_cluster("changed", scratch.folders()); });
}

TEST(CommCurveFile, ComplainsWithPlaceAndCure) {
  const auto in = [](Json& j) -> Json& { return j["collectives"]["curves"][0]; };
  expect_has(complaint([&](Json& j) { in(j)["operation"] = "allgather"; }),
             "#/collectives/curves/0/operation");
  expect_has(complaint([&](Json& j) { in(j)["gpus"] = 1; }), "#/collectives/curves/0/gpus: found 1");
  expect_has(complaint([&](Json& j) { in(j)["protocols"] = Json::array(); }),
             "#/collectives/curves/0/protocols: expected at least one protocol");
  expect_has(complaint([&](Json& j) { in(j)["protocols"][0]["from_bytes"] = 5; }),
             "#/collectives/curves/0/protocols/0/from_bytes: found 5, expected 0");
  expect_has(complaint([&](Json& j) { in(j)["protocols"].push_back(in(j)["protocols"][0]); }),
             "expected more than in the protocol before");
  expect_has(complaint([&](Json& j) { j["collectives"]["curves"].push_back(in(j)); }),
             "expected a number of GPUs for which all-gather has no curve yet");
  expect_has(complaint([&](Json& j) { j["collectives"]["link_bytes_per_s"] = 0; }),
             "#/collectives/link_bytes_per_s: found 0");
  expect_has(complaint([&](Json& j) { j["expert_all_to_all"]["in_node_combine"]["most_sms"] = 1; }),
             "#/expert_all_to_all/in_node_combine/most_sms: found 1");
}

TEST(CommCurveFile, OfAnotherLinkScalesWithIt) {
  ClusterProfile cluster = load_cluster("h100-sxm-ib400", shipped_folders());
  EXPECT_DOUBLE_EQ(link_scale(cluster, *cluster.collectives).rate, 1);
  cluster.scale_up.bytes_per_s.value *= 2;
  cluster.scale_up.latency_s.value *= 3;
  EXPECT_DOUBLE_EQ(link_scale(cluster, *cluster.collectives).rate, 2);
  EXPECT_DOUBLE_EQ(link_scale(cluster, *cluster.collectives).latency, 3);
}

TEST(CommCurveFile, IsWrittenAsItIsRead) {
  const ClusterProfile first = load_cluster("h200-sxm-ib400", shipped_folders());
  ASSERT_TRUE(first.collectives.has_value());
  const ScratchProfiles scratch;
  scratch.write("gpu", "h200-sxm", shipped_json("gpu", "h200-sxm").dump());
  scratch.write("cluster", "h200-sxm-ib400", to_json_text(first));
  const ClusterProfile second = load_cluster("h200-sxm-ib400", scratch.folders());
  EXPECT_EQ(to_json_text(first), to_json_text(second));
  EXPECT_EQ(first.collectives->curves.size(), second.collectives->curves.size());
  EXPECT_EQ(first.expert_all_to_all.in_node_combine->own_rows,
            second.expert_all_to_all.in_node_combine->own_rows);
}

}  // namespace
}  // namespace orrery::test
