# The rules of docs/architecture.md about who may include whom, checked by text.
#   cmake -DROOT=<repository root> -P check_layering.cmake
# Prints one line per violation, "file:line: what (rule)", and fails if there was one.
cmake_minimum_required(VERSION 3.25)

# layer(FILES ALLOWED RULE): project headers that the files matching FILES include must match ALLOWED.
# Every row whose FILES match is applied. Paths are relative to the root.
function(layer files allowed rule)
  set_property(GLOBAL APPEND PROPERTY layer_files "${files}")
  set_property(GLOBAL APPEND PROPERTY layer_allowed "${allowed}")
  set_property(GLOBAL APPEND PROPERTY layer_rule "${rule}")
endfunction()

# home(HEADERS FILES RULE): third-party headers matching HEADERS may be included only in FILES.
function(home headers files rule)
  set_property(GLOBAL APPEND PROPERTY home_headers "${headers}")
  set_property(GLOBAL APPEND PROPERTY home_files "${files}")
  set_property(GLOBAL APPEND PROPERTY home_rule "${rule}")
endfunction()

# Between the top folders.
layer("^sim/" "^sim/" "sim includes no other folder of the project")
layer("^planner/" "^(planner|sim)/" "planner includes planner and sim")
layer("^gui/" "^(gui|sim)/|^planner/[^/]+$|^planner/(economics|goodput|posttrain|report|export|sweep)/"
      "gui includes planner and sim, but neither planner/cli nor planner/distribute")
layer("^gui/core/" "^(sim|planner|gui/core)/" "gui/core knows no widget")
layer("^calibrate/" "^calibrate/|^sim/(base|model|hw|workload|layout|cost)/"
      "calibrate includes sim/base, sim/model, sim/hw and sim/workload/op.hpp, in its folder layer also workload, layout and cost")
layer("^calibrate/([^/]+$|(fit|import|journal|measure|plot|probe|profile|ranks|sweep)/)"
      "^calibrate/|^sim/(base|model|hw)/|^sim/workload/op\\.hpp$"
      "only calibrate/layer knows the simulator's workload, layout and cost")

# Inside sim.
layer("^sim/base/" "^sim/base/" "base includes base only")
layer("^sim/model/" "^sim/(model|base)/" "model includes base only")
layer("^sim/hw/" "^sim/(hw|base)/" "hw includes base only")
layer("^sim/engine/" "^sim/(engine|base)/" "engine includes base only: no LLM and no cluster")
layer("^sim/schedule/" "^sim/(schedule|base)/" "schedule includes base only: no seconds and no bytes")
layer("^sim/network/" "^sim/(network|hw|base)/|^sim/engine/sharing\\.hpp$"
      "network includes engine/sharing.hpp, hw and base: no axis of parallelism")
layer("^sim/layout/" "^sim/(layout|model|hw|base)/" "layout includes model, hw and base")
layer("^sim/workload/" "^sim/(workload|layout|model|base)/" "workload includes layout, model and base")
layer("^sim/cost/" "^sim/(cost|hw|network|base)/|^sim/workload/op\\.hpp$|^sim/power/power_model\\.hpp$"
      "cost includes hw, network, base, workload/op.hpp and power/power_model.hpp")
layer("^sim/lower/" "^sim/(lower|cost|workload|schedule|layout|network|model|hw|engine|base)/"
      "lower includes what stands before it in the chain")
layer("^sim/power/" "^sim/(power|hw|base)/|^sim/engine/timeline\\.hpp$"
      "power includes engine/timeline.hpp, hw and base")
layer("^sim/report/" "^sim/network/fabric\\.hpp$|^sim/(report|power|lower|workload|schedule|layout|model|hw|base)/|^sim/engine/(timeline|graph_checks)\\.hpp$|^sim/scenario\\.hpp$"
      "report includes scenario.hpp, network/fabric.hpp, power, lower, engine/timeline.hpp, engine/graph_checks.hpp, workload, schedule, layout, model, hw and base")
layer("^sim/bound/" "^sim/(bound|report|lower|cost|workload|schedule|layout|network|model|hw|engine|base)/|^sim/scenario\\.hpp$"
      "bound includes what stands before it in the chain and scenario.hpp")
layer("^sim/scenario[^/]*$" "^sim/(layout|model|hw|base)/|^sim/scenario[^/]*$|^sim/schedule/generators\\.hpp$|^sim/workload/routing\\.hpp$"
      "scenario includes layout, model, hw, base, schedule/generators.hpp (names) and workload/routing.hpp")

# Inside planner.
layer("^planner/[^/]+$" "^sim/|^planner/[^/]+$|^planner/(economics|goodput)/"
      "the files of planner itself include sim, economics and goodput")
layer("^planner/(economics|goodput)/" "^sim/(report|base)/|^sim/hw/(sourced|hw_fields)\\.hpp$|^planner/(economics|goodput)/"
      "economics and goodput include sim/report, sim/base and the origins of figures in sim/hw")
layer("^planner/posttrain/" "^sim/|^planner/[^/]+$|^planner/(posttrain|economics)/"
      "posttrain includes sim, the files of planner itself and economics")
layer("^planner/(report|export)/" "^sim/|^planner/[^/]+$|^planner/(report|export|posttrain|economics|goodput)/"
      "report and export of planner include neither cli nor distribute")
layer("^planner/sweep/" "^sim/|^planner/[^/]+$|^planner/(sweep|economics|goodput)/"
      "sweep includes sim, the files of planner itself, economics and goodput")
layer("^planner/distribute/" "^planner/distribute/|^planner/(work_pool|crew)\\.hpp$"
      "distribute includes planner/work_pool.hpp and planner/crew.hpp only: jobs and results as text")

# Inside calibrate.
layer("^calibrate/probe/[^/]+\\.hpp$" "^calibrate/probe/" "headers of probe include the standard library only")
layer("^calibrate/(fit|sweep|import)/" "^calibrate/(fit|sweep|import)/|^calibrate/probe/(sample|work)\\.hpp$|^sim/"
      "fit, sweep and import know of probes no more than probe/sample.hpp and probe/work.hpp")

# Third-party headers, each with one home.
home("^(Q[A-Z]|Qt)" "^(gui|tests/gui)/" "Qt lives in gui")
home("^Q(Widget|Painter|Application|MainWindow|Dialog)" "^(gui/(widgets/|main)|tests/gui/)" "gui/core links Qt Core only")
home("^(cuda|cublas|cudnn|cupti|cub/|thrust/|cooperative_groups|nccl|nvml|nvtx|nvrtc|mma\\.h)"
     "^(calibrate/probe/cuda|tests/device)/" "CUDA, cuBLAS and NCCL live in calibrate/probe/cuda")
home("^mpi(-ext)?\\.h$" "^(planner/distribute|calibrate/ranks)/[^/]+\\.cpp$"
     "MPI lives in the sources of planner/distribute and calibrate/ranks, in no header")
home("^sqlite3" "^planner/sweep/sqlite_store\\.cpp$" "SQLite lives in planner/sweep/sqlite_store.cpp")
home("^boost/" "^sim/(network/graph_algorithms|engine/graph_checks)\\.cpp$"
     "Boost.Graph lives in sim/network/graph_algorithms.cpp and sim/engine/graph_checks.cpp")
home("^Eigen/" "^calibrate/fit/[^/]+\\.cpp$" "Eigen lives in the sources of calibrate/fit")
home("^hpdf" "^planner/report/pdf_haru\\.cpp$" "libharu lives in planner/report/pdf_haru.cpp")
home("^CLI/" "^planner/cli/|^calibrate/main\\.cpp$" "CLI11 lives in planner/cli and calibrate/main.cpp")
home("^nlohmann/" "\\.cpp$|^sim/base/fields\\.hpp$" "nlohmann/json stays in .cpp files and sim/base/fields.hpp")
home("^(cairo|librsvg/)" "^planner/export/rsvg_renderer\\.cpp$" "librsvg and cairo live in planner/export/rsvg_renderer.cpp")
home("^(fmt|spdlog)/" "\\.cpp$" "fmt stays in .cpp files")
home("^(gtest|gmock|benchmark)/" "^tests/" "test libraries live in tests")
set(sim_libraries "^(nlohmann|fmt|boost)/|^[a-z_]+$")

# The mains that look at the environment; everything else is told what it needs.
set(reads_environment "^planner/cli/|^(calibrate|gui)/main\\.cpp$|^tests/")

foreach(table layer_files layer_allowed layer_rule home_headers home_files home_rule)
  get_property(${table} GLOBAL PROPERTY ${table})
endforeach()
set(top_folders "^(sim|calibrate|planner|gui|tests|hwprofiles|docs)/")
# Notes one violation at the first line of `content` that holds `text`; `content` starts with a line end.
function(violation text problem rule)
  string(FIND "${content}" "${text}" place)
  string(SUBSTRING "${content}" 0 ${place} before)
  string(REGEX MATCHALL "\n" ends "${before}")
  list(LENGTH ends line)
  if(text MATCHES "^\n")
    math(EXPR line "${line} + 1")
  endif()
  set_property(GLOBAL APPEND PROPERTY violations "${file}:${line}: ${problem} (${rule})")
endfunction()

function(check_project_include hit header)
  if(header MATCHES "(^|/)\\.\\.?/")
    violation("${hit}" "includes ${header}" "no . or .. in the path of a header")
  endif()
  foreach(pattern allowed rule IN ZIP_LISTS layer_files layer_allowed layer_rule)
    if(file MATCHES "${pattern}" AND NOT header MATCHES "${allowed}")
      violation("${hit}" "includes ${header}" "${rule}")
    endif()
  endforeach()
endfunction()

function(check_library_include hit header)
  foreach(pattern allowed rule IN ZIP_LISTS home_headers home_files home_rule)
    if(header MATCHES "${pattern}" AND NOT file MATCHES "${allowed}")
      violation("${hit}" "includes ${header}" "${rule}")
      return()
    endif()
  endforeach()
  if(file MATCHES "^sim/" AND NOT header MATCHES "${sim_libraries}")
    violation("${hit}" "includes ${header}" "sim uses the standard library, nlohmann/json, fmt and Boost.Graph")
  endif()
endfunction()

set(patterns "")
foreach(folder sim calibrate planner gui tests)
  foreach(ending cpp hpp h cu cuh)
    list(APPEND patterns "${ROOT}/${folder}/*.${ending}")
  endforeach()
endforeach()
file(GLOB_RECURSE files RELATIVE "${ROOT}" ${patterns})
list(LENGTH files count)
if(count EQUAL 0)
  message(FATAL_ERROR "no sources under '${ROOT}': pass -DROOT=<repository root>")
endif()

foreach(file IN LISTS files)
  file(READ "${ROOT}/${file}" content)
  string(PREPEND content "\n")
  string(REGEX MATCHALL "\n[ \t]*#[ \t]*include[ \t]*[<\"][^>\"\n]+[>\"]" hits "${content}")
  foreach(hit IN LISTS hits)
    string(REGEX REPLACE ".*[<\"]([^>\"]+)[>\"]" "\\1" header "${hit}")
    if(header MATCHES "\\.moc$")
      # made by moc for the file itself
    elseif(header MATCHES "${top_folders}")
      check_project_include("${hit}" "${header}")
    elseif(hit MATCHES "\"$")
      violation("${hit}" "includes \"${header}\"" "headers of the project are named from the repository root")
    else()
      check_library_include("${hit}" "${header}")
    endif()
  endforeach()
  if(NOT file MATCHES "${reads_environment}" AND
     content MATCHES "[^A-Za-z_]((secure_)?getenv|qgetenv|qEnvironmentVariable|setenv|putenv)[ \t]*\\(")
    violation("${CMAKE_MATCH_0}" "calls ${CMAKE_MATCH_1}"
              "only planner/cli, the mains of calibrate and gui, and the tests look at the environment")
  endif()
  if(file MATCHES "\\.hpp$" AND
     content MATCHES "\n[ \t]*#[ \t]*(if|elif)[a-z]*[^\n]*(CUDA|NCCL|MPI|QT_)")
    violation("${CMAKE_MATCH_0}" "depends on ${CMAKE_MATCH_2}"
              "no header of the project changes with CUDA, MPI or Qt")
  endif()
endforeach()

get_property(violations GLOBAL PROPERTY violations)
foreach(line IN LISTS violations)
  message(NOTICE "${line}")
endforeach()
list(LENGTH violations found)
if(found GREATER 0)
  message(FATAL_ERROR "layering: ${found} violation(s) in ${count} files")
endif()
message(STATUS "layering: ${count} files, no violation")
