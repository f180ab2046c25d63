#include "calibrate/ranks/rank_probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <thread>

#include "calibrate/probe/stopping.hpp"
#include "calibrate/probe/work.hpp"

namespace orrery {
namespace {

constexpr std::chrono::microseconds kRest{300};
constexpr std::chrono::milliseconds kBeatEvery{500};

std::vector<double> numbers_in(const std::string& reply) {
  std::istringstream in(behind_word(reply));
  std::vector<double> out;
  for (double value = 0; in >> value;) out.push_back(value);
  return out;
}

/// Failures that explain those of the others come first.
int weight(const Failure& failure) {
  switch (failure.kind) {
    case FailureClass::kCrashed:
    case FailureClass::kDeviceLost:
    case FailureClass::kOutOfMemory:
    case FailureClass::kUnsupported: return 0;
    default: return 1;
  }
}

}  // namespace

RankProbe::RankProbe(Messenger& messenger, RankAgent& agent, std::string host, RankPatience patience)
    : messenger_(messenger),
      agent_(agent),
      patience_(patience),
      ranks_(static_cast<std::size_t>(messenger.size())) {
  for (Rank& rank : ranks_) rank.heard = Clock::now();
  ranks_[0].host = std::move(host);
}

std::string RankProbe::name(int rank) const {
  const Rank& r = ranks_[static_cast<std::size_t>(rank)];
  return fmt::format("rank {} of {}{}", rank, ranks_.size(),
                     r.host.empty() ? "" : fmt::format(" ({}, GPU {})", r.host, r.device));
}

void RankProbe::take(int rank, const std::string& text) {
  Rank& r = ranks_[static_cast<std::size_t>(rank)];
  if (text.starts_with("at ")) {
    std::istringstream in(behind_word(text));
    in >> r.progress;
    std::getline(in >> std::ws, r.at);
  } else {
    r.reply = text;
  }
}

void RankProbe::receive_all() {
  while (const std::optional<std::string> reply = agent_.poll()) take(0, *reply);
  if (Clock::now() - beat_ > kBeatEvery) {
    beat_ = Clock::now();
    for (std::size_t i = 1; i < ranks_.size(); ++i)
      if (!ranks_[i].gone) messenger_.send(static_cast<int>(i), "beat");
  }
  Messenger::Letter letter;
  while (messenger_.receive(letter)) {
    Rank& r = ranks_[static_cast<std::size_t>(letter.from)];
    r.heard = Clock::now();
    std::istringstream in(letter.text);
    std::string kind, word;
    in >> kind >> word;
    if (kind == "hello") r.host = word;
    if (kind != "reply" || word != std::to_string(number_)) continue;
    take(letter.from, letter.text.substr(letter.text.find('\n') + 1));
  }
}

void RankProbe::ask(int rank, const std::string& request) {
  Rank& r = ranks_[static_cast<std::size_t>(rank)];
  r.reply.clear();
  if (rank == 0) {
    agent_.begin(request);
  } else {
    messenger_.send(rank, fmt::format("ask {}\n{}", number_, request));
  }
}

void RankProbe::mark_silent(const std::vector<int>& ranks) {
  for (const int rank : ranks) {
    Rank& r = ranks_[static_cast<std::size_t>(rank)];
    const double silent = std::chrono::duration<double>(Clock::now() - r.heard).count();
    if (rank == 0 || !r.lost.empty() || silent < patience_.silence_s) continue;
    r.lost = fmt::format("silent for {:g} s: its process or host is lost", patience_.silence_s);
    r.reply = failed_reply({FailureClass::kDeviceLost, r.lost});
    harmed_ = r.gone = true;
  }
}

Failure RankProbe::failure_of(const std::vector<int>& ranks) const {
  const Failure* worst = nullptr;
  std::vector<std::pair<int, Failure>> found;
  for (const int rank : ranks)
    if (const auto failure = failure_in(ranks_[static_cast<std::size_t>(rank)].reply))
      found.emplace_back(rank, *failure);
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return weight(a.second) < weight(b.second); });
  worst = &found.front().second;
  const bool of_the_case =
      worst->kind == FailureClass::kOutOfMemory || worst->kind == FailureClass::kUnsupported;
  Failure out{
      .kind = of_the_case ? worst->kind : FailureClass::kRankFailed,
      .message = fmt::format("{}: {}: {}", name(found.front().first), to_text(worst->kind), worst->message)};
  if (found.size() > 1) out.message += fmt::format("; {} more ranks failed with it", found.size() - 1);
  return out;
}

Failure RankProbe::late(const std::vector<int>& ranks, const std::string& step, double seconds) const {
  int least = -1, most = 0, waiting = 0;
  for (const int rank : ranks) {
    const Rank& r = ranks_[static_cast<std::size_t>(rank)];
    if (!r.reply.empty()) continue;
    least = least < 0 ? r.progress : std::min(least, r.progress);
  }
  std::string who;
  for (const int rank : ranks) {
    const Rank& r = ranks_[static_cast<std::size_t>(rank)];
    most = std::max(most, r.progress);
    if (!r.reply.empty()) continue;
    if (r.progress > least) {
      ++waiting;
    } else {
      who += fmt::format("{}{}{}", who.empty() ? "" : ", ", name(rank),
                         r.at.empty() ? "" : ", last at '" + r.at + "'");
    }
  }
  std::string message = fmt::format("{} did not come back from '{}' within {:g} s", who, step, seconds);
  if (waiting > 0) message += fmt::format("; {} more ranks, which got further, wait", waiting);
  if (waiting == 0 && most == least) message += "; all got equally far, so which one hangs is not known";
  return {FailureClass::kRankFailed, message};
}

/// Until all `ranks` have replied. Throws StepFailed.
void RankProbe::wait_for(const std::vector<int>& ranks, const std::string& step, double seconds) {
  const Clock::time_point start = Clock::now();
  std::optional<Clock::time_point> failed;
  while (true) {
    receive_all();
    mark_silent(ranks);
    bool all = true;
    for (const int rank : ranks) {
      const std::string& reply = ranks_[static_cast<std::size_t>(rank)].reply;
      all = all && !reply.empty();
      if (!failed && failure_in(reply)) failed = Clock::now();
    }
    const auto since = [](Clock::time_point t) {
      return std::chrono::duration<double>(Clock::now() - t).count();
    };
    if (failed && (all || since(*failed) > patience_.grace_s)) throw StepFailed{failure_of(ranks)};
    if (all) return;
    if (since(start) > seconds) throw StepFailed{late(ranks, step, seconds)};
    std::this_thread::sleep_for(kRest);
  }
}

std::string RankProbe::gather() {
  const Clock::time_point start = Clock::now();
  const auto here = [&] {
    return std::all_of(ranks_.begin(), ranks_.end(), [](const Rank& r) { return !r.reply.empty(); });
  };
  while (!here() && std::chrono::duration<double>(Clock::now() - start).count() < patience_.start_s) {
    receive_all();
    std::this_thread::sleep_for(kRest);
  }
  std::map<std::string, int> of_host;
  std::string missing;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    Rank& r = ranks_[i];
    r.device = of_host[r.host]++;
    if (r.reply.empty()) r.lost = fmt::format("did not come within {:g} s", patience_.start_s);
    if (const auto failure = failure_in(r.reply)) r.lost = failure->message;
    if (r.lost.empty()) continue;
    if (r.reply.empty()) harmed_ = r.gone = true;
    missing += fmt::format("{}{}: {}", missing.empty() ? "" : "; ", name(static_cast<int>(i)), r.lost);
  }
  if (!ranks_[0].lost.empty()) return missing;
  about_ = parse_samples(behind_word(ranks_[0].reply), "about").about;
  about_["probe"] = "ranks";
  about_["ranks"] = std::to_string(ranks_.size());
  std::string hosts;
  for (const auto& [host, count] : of_host)
    if (!host.empty()) hosts += fmt::format("{}{}:{}", hosts.empty() ? "" : " ", host, count);
  about_["hosts"] = hosts;
  if (!missing.empty()) about_["missing_ranks"] = missing;
  for (Rank& r : ranks_) r.reply.clear();
  return "";
}

std::vector<int> RankProbe::ranks_of_hosts() const {
  std::vector<std::string> hosts;
  std::map<std::string, int> count;
  for (const Rank& r : ranks_) {
    if (r.host.empty()) continue;
    if (count[r.host]++ == 0) hosts.push_back(r.host);
  }
  std::vector<int> out;
  for (const std::string& host : hosts) out.push_back(count[host]);
  return out;
}

std::vector<int> RankProbe::choose(const Case& what) const {
  const std::int64_t nodes = std::max<std::int64_t>(1, size_of(what.shape, "nodes"));
  const std::int64_t gpus = size_of(what.shape, "gpus");
  if (gpus < 2 || gpus % nodes != 0)
    throw StepFailed{
        {FailureClass::kUnsupported, "needs two GPUs or more, the same number on each of `nodes` hosts"}};
  const auto of_host = static_cast<std::size_t>(gpus / nodes);
  std::vector<std::string> hosts;
  std::map<std::string, std::vector<int>> members;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    if (ranks_[i].host.empty()) continue;
    std::vector<int>& list = members[ranks_[i].host];
    if (list.empty()) hosts.push_back(ranks_[i].host);
    list.push_back(static_cast<int>(i));
  }
  std::vector<int> out;
  std::int64_t used = 0;
  for (const std::string& host : hosts) {
    if (used == nodes || members[host].size() < of_host) continue;
    out.insert(out.end(), members[host].begin(),
               members[host].begin() + static_cast<std::ptrdiff_t>(of_host));
    ++used;
  }
  if (used < nodes)
    throw StepFailed{{FailureClass::kUnsupported,
                      fmt::format("needs {} hosts with {} ranks each, {} are here", nodes, of_host, used)}};
  return out;
}

double RankProbe::run_once(const std::vector<int>& ranks, int repeats, double expected_s) {
  ++number_;
  for (const int rank : ranks) ask(rank, fmt::format("run {}", repeats));
  wait_for(ranks, "run", patience_.step_s + 10 * expected_s);
  double slowest = 0;
  for (const int rank : ranks)
    slowest = std::max(slowest, numbers_in(ranks_[static_cast<std::size_t>(rank)].reply).at(0));
  return slowest;
}

Answer RankProbe::measure(const Case& what, const Effort& effort, const std::vector<int>& ranks) {
  ++number_;
  for (const int rank : ranks) {
    ranks_[static_cast<std::size_t>(rank)].progress = 0;
    ranks_[static_cast<std::size_t>(rank)].at.clear();
  }
  ask(ranks.front(), "id");
  wait_for({ranks.front()}, "unique id", patience_.join_s);
  const std::string id = behind_word(ranks_[static_cast<std::size_t>(ranks.front())].reply);
  ++number_;
  const std::string csv = csv_head({}) + csv_row({what, Failure{}});
  for (std::size_t i = 0; i < ranks.size(); ++i)
    ask(ranks[i], fmt::format("join {} {} {} {}\n{}", i, ranks.size(),
                              ranks_[static_cast<std::size_t>(ranks[i])].device, id, csv));
  wait_for(ranks, "join", patience_.join_s);

  ++number_;
  for (const int rank : ranks) ask(rank, "verify");
  wait_for(ranks, "verify", patience_.step_s);
  Samples about_case;
  about_case.error = 0;
  about_case.error_limit = 0;
  for (const int rank : ranks) {
    const std::vector<double> found = numbers_in(ranks_[static_cast<std::size_t>(rank)].reply);
    if (!(found.at(0) <= found.at(1)))
      throw StepFailed{{FailureClass::kWrongResult, fmt::format("{}: relative error {:g}, allowed {:g}",
                                                                name(rank), found[0], found[1])}};
    about_case.error = std::max(*about_case.error, found[0]);
    about_case.error_limit = std::max(*about_case.error_limit, found[1]);
  }
  const double once = run_once(ranks, 3, 0);
  const int repeats = std::clamp(static_cast<int>(1e-3 / std::max(once, 1e-6)), 1, 50);
  about_case.bytes = work_of(what).bytes;
  about_case.executions = repeats;
  about_case.note = "slowest rank, one process for each";
  Answer answer = collect(effort, std::move(about_case), [&]() -> std::variant<Sample, Failure> {
    Sample sample;
    sample.seconds = run_once(ranks, repeats, once * repeats);
    return sample;
  });
  ++number_;
  for (const int rank : ranks) ask(rank, "leave");
  wait_for(ranks, "leave", patience_.step_s);
  return answer;
}

Answer RankProbe::run(const Case& what, const Effort& effort) {
  std::vector<int> ranks;
  try {
    if (collective_of(what.op_class).empty())
      return Failure{FailureClass::kUnsupported, "ranks measure collectives only"};
    ranks = choose(what);
    for (const int rank : ranks) {
      const std::string& lost = ranks_[static_cast<std::size_t>(rank)].lost;
      if (!lost.empty())
        return Failure{FailureClass::kRankFailed, fmt::format("not tried: {}: {}", name(rank), lost)};
    }
    return measure(what, effort, ranks);
  } catch (const StepFailed& failed) {
    ++number_;
    for (const int rank : ranks) {
      if (rank == 0) {
        agent_.abort();
      } else if (!ranks_[static_cast<std::size_t>(rank)].gone) {
        messenger_.send(rank, "abort");
      }
    }
    return failed.failure;
  }
}

void RankProbe::dismiss() {
  for (std::size_t i = 1; i < ranks_.size(); ++i)
    if (!ranks_[i].gone) messenger_.send(static_cast<int>(i), harmed_ ? "home harmed" : "home");
  messenger_.flush(2);
  if (harmed_) messenger_.give_up();
}

bool serve_ranks(Messenger& messenger, RankAgent& agent, const std::string& host,
                 const RankPatience& patience) {
  using Clock = std::chrono::steady_clock;
  std::string number = "0";
  bool spoken = false;  // process 0 has begun
  Clock::time_point heard = Clock::now(), beat = heard;
  messenger.send(0, "hello " + host);
  while (true) {
    Messenger::Letter letter;
    while (messenger.receive(letter)) {
      heard = Clock::now();
      spoken = true;
      if (letter.text.starts_with("home")) {
        agent.abort();
        if (letter.text == "home") return true;
        messenger.give_up();
        return false;
      }
      if (letter.text == "abort") agent.abort();
      if (letter.text.starts_with("ask ")) {
        const std::size_t end = letter.text.find('\n');
        number = letter.text.substr(4, end - 4);
        agent.begin(letter.text.substr(end + 1));
      }
    }
    while (const std::optional<std::string> reply = agent.poll())
      messenger.send(0, "reply " + number + "\n" + *reply);
    if (Clock::now() - beat > kBeatEvery) {
      beat = Clock::now();
      messenger.send(0, "beat");
    }
    const double allowed = patience.silence_s + (spoken ? 0 : patience.start_s);
    if (std::chrono::duration<double>(Clock::now() - heard).count() > allowed) {
      agent.abort();
      messenger.give_up();
      return false;
    }
    std::this_thread::sleep_for(kRest);
  }
}

}  // namespace orrery
