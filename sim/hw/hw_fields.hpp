#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/base/curve.hpp"
#include "sim/base/fields.hpp"
#include "sim/hw/cluster.hpp"
#include "sim/hw/sourced.hpp"

/// Field helpers shared by the profile loaders; meant for .cpp files of sim/hw and sim that read profiles.
namespace orrery {

template <class V>
void origin_field(V& v, Origin& origin) {
  std::size_t index = static_cast<std::size_t>(origin);
  v.choice("origin", index, origin_names());
  origin = static_cast<Origin>(index);
}

template <class V>
void provenance_fields(V& v, Origin& origin, std::string& source, std::string& date, std::string& note) {
  origin_field(v, origin);
  v.required("source", source);
  v.required("date", date);
  if (V::reading || !note.empty()) v.optional("note", note);
}

template <class V>
void fields(V& v, Sourced& s) {
  v.required("value", s.value);
  provenance_fields(v, s.origin, s.source, s.date, s.note);
}

/// A list of at least one [x, y] point with growing x; where `must` is false it may be left out.
template <class V>
void curve_field(V& v, const char* key, Curve& curve, bool must = true) {
  std::vector<std::vector<double>> points = curve.points();
  if (!must && !V::reading && points.empty()) return;
  if (must) {
    v.required(key, points, kPositive);
  } else {
    v.optional(key, points, kPositive);
  }
  if constexpr (V::reading) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (points[i].size() != 2 || (i > 0 && points[i][0] <= points[i - 1][0]))
        throw InputError(v.node().where(key), "expected [x, y] points with growing x");
    }
    if (points.empty() && must) throw InputError(v.node().where(key), "expected at least one [x, y] point");
    curve = Curve(std::move(points));
  }
}

/// <root>/<kind>/<name>.json of the first root that has it; empty when none does.
[[nodiscard]] std::filesystem::path find_profile(const std::string& kind, const std::string& name,
                                                 const ProfileFolders& folders);

}  // namespace orrery
