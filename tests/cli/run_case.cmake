# Runs the program once and checks exit code and output.
#   cmake -DPROGRAM=<orrery> -DARGS=<words separated by |> -DEXIT=<codes separated by |> [-DOUT=<regex>] [-DERR=<regex>]
#         [-DNOT_OUT=<regex>] [-DPROFILES=<folder for ORRERY_PROFILES>] [-DABSENT=<file that must not exist afterwards>]
#         -P run_case.cmake
cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" words "${ARGS}")
string(REPLACE "|" ";" codes "${EXIT}")
if(DEFINED PROFILES)
  set(ENV{ORRERY_PROFILES} "${PROFILES}")
endif()
if(DEFINED ABSENT)
  file(REMOVE "${ABSENT}" "${ABSENT}.part")
endif()

execute_process(COMMAND "${PROGRAM}" ${words} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err)
set(seen "orrery ${words}\nexit code ${code}\n--- standard output\n${out}\n--- standard error\n${err}")

if(NOT code IN_LIST codes)
  message(FATAL_ERROR "expected exit code ${EXIT}: ${seen}")
endif()
if(DEFINED OUT AND NOT out MATCHES "${OUT}")
  message(FATAL_ERROR "standard output does not match '${OUT}': ${seen}")
endif()
if(DEFINED NOT_OUT AND out MATCHES "${NOT_OUT}")
  message(FATAL_ERROR "standard output matches '${NOT_OUT}': ${seen}")
endif()
if(DEFINED ERR AND NOT err MATCHES "${ERR}")
  message(FATAL_ERROR "standard error does not match '${ERR}': ${seen}")
endif()
if(DEFINED ABSENT)
  foreach(file "${ABSENT}" "${ABSENT}.part")
    if(EXISTS "${file}")
      message(FATAL_ERROR "${file} was left behind: ${seen}")
    endif()
  endforeach()
endif()
