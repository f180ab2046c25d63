#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <vector>

#include "sim/schedule/schedule.hpp"

/// The published programs of DualPipe and DualPipeV once more, written apart from the generators: first the
/// words of one rank, which name phases only, then the microbatches counted into them.
namespace orrery::test {

/// Words: "F0" forward of phase 0, "B1" backward of phase 1, "Z1" backward of phase 1 without its weight
/// gradient, "W" the oldest weight gradient left out, "F0B1" both at once.
using Words = std::vector<std::string>;

inline void say(Words& words, int times, std::initializer_list<const char*> what) {
  for (int i = 0; i < times; ++i) words.insert(words.end(), what.begin(), what.end());
}

/// `phases`: stage and first microbatch of each.
inline std::vector<std::string> steps_of_words(const Words& words,
                                               const std::array<std::array<int, 2>, 2>& phases) {
  std::array<std::array<int, 2>, 2> done{};  // [phase]: forwards, backwards
  std::deque<std::string> deferred;
  const auto name = [&](int phase, char letter) {
    const auto p = static_cast<std::size_t>(phase);
    int& count = done[p][letter == 'F' ? 0 : 1];
    return std::to_string(phases[p][0]) + letter + std::to_string(phases[p][1] + count++);
  };
  std::vector<std::string> steps;
  for (const std::string& word : words) {
    if (word == "W") {
      steps.push_back(deferred.front());
      deferred.pop_front();
    } else if (word.size() == 4) {
      const std::string forward = name(word[1] - '0', 'F');
      const std::string backward = name(word[3] - '0', 'B');
      steps.push_back("(" + forward + ";" + backward + ")OVERLAP_F_B");
    } else if (word[0] == 'Z') {
      steps.push_back(name(word[1] - '0', 'I'));
      deferred.push_back(steps.back());
      std::replace(deferred.back().begin(), deferred.back().end(), 'I', 'W');
    } else {
      steps.push_back(name(word[1] - '0', word[0]));
    }
  }
  EXPECT_TRUE(deferred.empty());
  return steps;
}

inline std::vector<std::string> texts_of(const std::vector<Step>& steps) {
  std::vector<std::string> texts;
  for (const Step& step : steps) texts.push_back(to_text(step));
  return texts;
}

}  // namespace orrery::test
