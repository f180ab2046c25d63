# Rebuilds the profile of a device, or of a cluster, from its committed samples:
#   cmake -DPROGRAM=build/release/bin/orrery-calibrate -DDEVICE=h200-sxm -DOUT=h200-sxm.json -P rebuild.cmake
# With -DCOMPARE=FILE it fails unless the result has the same bytes; -DFOLDER is another place of devices.
# A folder with cluster.json is of a cluster; its GPU is looked up in the profiles beside this file, or in -DGPUS.
# DEVICE/options.txt holds further options of `fit`, one a line; other lines there say why.
cmake_minimum_required(VERSION 3.25)

if(NOT DEFINED FOLDER)
  set(FOLDER "${CMAKE_CURRENT_LIST_DIR}")
endif()
file(GLOB samples "${FOLDER}/${DEVICE}/*/*.csv")
list(SORT samples)
if(NOT samples)
  message(FATAL_ERROR "no samples of a device '${DEVICE}' in ${FOLDER}")
endif()
set(options)
if(EXISTS "${FOLDER}/${DEVICE}/options.txt")
  file(STRINGS "${FOLDER}/${DEVICE}/options.txt" lines REGEX "^--")
  foreach(line IN LISTS lines)
    separate_arguments(words UNIX_COMMAND "${line}")
    list(APPEND options ${words})
  endforeach()
endif()
if(EXISTS "${FOLDER}/${DEVICE}/cluster.json")
  if(NOT DEFINED GPUS)
    set(GPUS "${CMAKE_CURRENT_LIST_DIR}/../gpu")
  endif()
  file(READ "${FOLDER}/${DEVICE}/cluster.json" cluster)
  string(JSON gpu GET "${cluster}" gpu)
  set(fit --base "${GPUS}/${gpu}.json" --cluster "${FOLDER}/${DEVICE}/cluster.json" --name "${DEVICE}"
    --cluster-output "${OUT}")
else()
  set(fit --base "${FOLDER}/${DEVICE}/base.json" --name "${DEVICE}" -o "${OUT}")
endif()
execute_process(
  COMMAND "${PROGRAM}" fit ${samples} ${fit} ${options}
  RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the fit of ${DEVICE} ended with ${status}")
endif()
if(DEFINED COMPARE)
  execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files "${OUT}" "${COMPARE}" RESULT_VARIABLE differs)
  if(differs)
    message(FATAL_ERROR "${OUT} differs from ${COMPARE}: the samples no longer give the committed profile")
  endif()
endif()
