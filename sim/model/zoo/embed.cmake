# cmake -DOUT=zoo_files.cpp -DDIR=folder -DNAMES=a,b,c -P embed.cmake
# Writes one C++ file that holds DIR/a.json, DIR/b.json, ... as text.
cmake_minimum_required(VERSION 3.25)

foreach(needed OUT DIR NAMES)
  if(NOT DEFINED ${needed})
    message(FATAL_ERROR "embed.cmake: -D${needed}=... is missing")
  endif()
endforeach()

# Compilers need to accept only 64 KiB per literal, some stop at 16 KiB; neighbouring literals are joined.
set(chunk 8000)
string(REPLACE "," ";" names "${NAMES}")
list(LENGTH names count)
set(texts "")
set(rows "")
foreach(name IN LISTS names)
  file(READ "${DIR}/${name}.json" text)
  string(LENGTH "${text}" left)
  set(start 0)
  string(MAKE_C_IDENTIFIER "kText_${name}" variable)
  string(APPEND texts "constexpr std::string_view ${variable} =")
  while(left GREATER 0)
    string(SUBSTRING "${text}" ${start} ${chunk} part)
    string(APPEND texts "\n    R\"orrery(${part})orrery\"")
    math(EXPR start "${start} + ${chunk}")
    math(EXPR left "${left} - ${chunk}")
  endwhile()
  string(APPEND texts ";\n\n")
  string(APPEND rows "    ZooFile{\"${name}\", ${variable}},\n")
endforeach()

file(WRITE "${OUT}.new" "// Made by sim/model/zoo/embed.cmake.
#include \"sim/model/zoo_files.hpp\"

#include <array>

namespace orrery {
namespace {

${texts}constexpr std::array<ZooFile, ${count}> kFiles{{
${rows}}};

}  // namespace

std::span<const ZooFile> zoo_files() {
  return kFiles;
}

}  // namespace orrery
")
file(RENAME "${OUT}.new" "${OUT}")
