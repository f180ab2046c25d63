# A result file given back as input describes the same run: same numbers, apart from what the first run had to assume.
#   cmake -DPROGRAM=<orrery> -DSCENARIO=<file> -DWORK=<folder> -P reproduces.cmake
cmake_minimum_required(VERSION 3.25)

function(simulate input output)
  execute_process(COMMAND "${PROGRAM}" simulate "${input}" --format json -q -o "${output}" RESULT_VARIABLE code
                  ERROR_VARIABLE err)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "orrery simulate ${input} ended with ${code}: ${err}")
  endif()
endfunction()

simulate("${SCENARIO}" "${WORK}/first.json")
simulate("${SCENARIO}" "${WORK}/again.json")
simulate("${WORK}/first.json" "${WORK}/from-result.json")

file(READ "${WORK}/first.json" first)
file(READ "${WORK}/again.json" again)
file(READ "${WORK}/from-result.json" from_result)
if(NOT first STREQUAL again)
  message(FATAL_ERROR "the same command wrote other bytes: compare ${WORK}/first.json and again.json")
endif()
foreach(key scenario step throughput memory run)
  string(JSON expected GET "${first}" ${key})
  string(JSON found GET "${from_result}" ${key})
  if(NOT expected STREQUAL found)
    message(FATAL_ERROR "'${key}' differs when the result is the input: ${expected} and ${found}")
  endif()
endforeach()
