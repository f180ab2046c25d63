#pragma once

#include <string>
#include <string_view>

#include "calibrate/import/imported.hpp"

namespace orrery {

/// Output of nccl-tests and rccl-tests: the text table, the JSON of `-J` (nccl-tests 2.17) and the JSON list
/// of
/// `-Z json` (rccl-tests). Out-of-place times are used, in-place ones counted as skipped. Class
/// `collective.<operation>`, shape {gpus, bytes}; bytes as the tests count them (gathered, reduced or
/// exchanged buffer). `operation` ("all-reduce", ...) is needed where neither the file nor its name says it.
/// InputError with line or pointer: another format, no row, a negative time, unknown operation, results
/// marked wrong (a fast wrong result is no measurement).
[[nodiscard]] Imported import_nccl_tests(std::string_view text, const std::string& place,
                                         const std::string& operation);

}  // namespace orrery
