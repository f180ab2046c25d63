# The layering check itself, checked: a copy of the sources with one broken rule per planted line must be
# refused, and every planted line must be named with file, line and rule.
#   cmake -DROOT=<repository root> -DWORK=<folder to use> -P check_layering_catches.cmake
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${WORK}")
file(COPY "${ROOT}/sim" "${ROOT}/planner" DESTINATION "${WORK}"
     FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cpp")

# plant(FILE LINE RULE): FILE is written with LINE as its third line; the check must name FILE:3 and RULE.
function(plant file line rule)
  file(WRITE "${WORK}/${file}" "#pragma once\n\n${line}\n")
  set_property(GLOBAL APPEND PROPERTY expected "${file}:3: [^\n]*${rule}")
endfunction()

plant(sim/base/planted.hpp "#include \"planner/plan.hpp\"" "sim includes no other folder")
plant(sim/engine/planted.hpp "#  include <sim/model/model_spec.hpp>" "engine includes base only")
plant(sim/schedule/planted.cpp "#include \"sim/hw/cluster.hpp\"" "schedule includes base only")
plant(sim/network/planted.cpp "#include \"sim/engine/engine.hpp\"" "network includes engine/sharing.hpp")
plant(sim/cost/planted.cpp "#include \"sim/workload/memory.hpp\"" "cost includes hw, network")
plant(sim/power/planted.cpp "#include \"sim/engine/engine.hpp\"" "power includes engine/timeline.hpp")
plant(sim/hw/planted.hpp "#include <nlohmann/json.hpp>" "nlohmann/json stays in .cpp")
plant(sim/layout/planted.hpp "#include <fmt/format.h>" "fmt stays in .cpp")
plant(sim/network/planted_graph.hpp "#include <boost/graph/adjacency_list.hpp>" "Boost.Graph lives in")
plant(sim/report/planted.cpp "#include <QString>" "Qt lives in gui")
plant(sim/lower/planted.cpp "#include <unistd.h>" "sim uses the standard library")
plant(sim/workload/planted.cpp "#include \"op.hpp\"" "named from the repository root")
plant(sim/workload/planted_path.cpp "#include \"sim/workload/../base/ids.hpp\"" "no . or .. in the path")
plant(sim/model/planted.cpp "const char* home = std::getenv(\"HOME\");" "look at the environment")
plant(sim/model/planted_switch.hpp "#ifdef ORRERY_CUDA" "no header of the project changes")
plant(planner/planted.hpp "#include <CLI/CLI.hpp>" "CLI11 lives in")
plant(planner/planted_mpi.cpp "#include <mpi.h>" "MPI lives in")
plant(planner/planted_sqlite.cpp "#include <sqlite3.h>" "SQLite lives in")
plant(planner/sweep/planted.cpp "#include \"planner/cli/options.hpp\"" "sweep includes sim")
plant(planner/distribute/planted.cpp "#include \"sim/layout/layout.hpp\"" "distribute includes")
plant(gui/planted.cpp "#include \"planner/cli/options.hpp\"" "neither planner/cli")
plant(calibrate/fit/planted.hpp "#include <Eigen/Dense>" "Eigen lives in")
plant(calibrate/planted.cpp "#include <cuda_runtime.h>" "CUDA, cuBLAS and NCCL live in")
plant(calibrate/planted_sim.cpp "#include \"sim/simulate.hpp\"" "calibrate includes")

execute_process(COMMAND "${CMAKE_COMMAND}" "-DROOT=${WORK}" -P "${CMAKE_CURRENT_LIST_DIR}/check_layering.cmake"
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
file(REMOVE_RECURSE "${WORK}")

if(status EQUAL 0)
  message(FATAL_ERROR "the check passed a tree with broken rules:\n${output}")
endif()
get_property(expected GLOBAL PROPERTY expected)
list(LENGTH expected count)
foreach(pattern IN LISTS expected)
  if(NOT output MATCHES "${pattern}")
    message(FATAL_ERROR "the check did not report '${pattern}'; it printed:\n${output}")
  endif()
endforeach()
message(STATUS "layering: ${count} planted violations, all reported")
