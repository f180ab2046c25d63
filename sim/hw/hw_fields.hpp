#pragma once

#include <string>

#include "sim/base/curve.hpp"
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

}  // namespace orrery
