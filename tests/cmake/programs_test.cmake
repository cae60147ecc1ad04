# Whether `cmake --build --preset kit` builds every program that a page names:
#
#   cmake -DSOURCE=. -DBUILD=build -P programs_test.cmake
cmake_minimum_required(VERSION 3.25)

get_filename_component(SOURCE "${SOURCE}" ABSOLUTE)
file(STRINGS "${BUILD}/kit/programs.txt" built)
file(GLOB pages RELATIVE "${SOURCE}" "${SOURCE}/README.md" "${SOURCE}/lessons/*/README.md"
     "${SOURCE}/slides/*.md" "${SOURCE}/tests/*/*.md")
set(wrong "")
set(found 0)
foreach(page IN LISTS pages)
  file(READ "${SOURCE}/${page}" text)
  string(REGEX MATCHALL "build/(kit-[a-z-]*[a-z]|(lessons|solutions)/[0-9][0-9]_[a-z_]+/[a-z_/]+)"
         names "${text}")
  list(REMOVE_DUPLICATES names)
  foreach(name IN LISTS names)
    string(REGEX REPLACE "^build" "${BUILD}" file "${name}")
    if(NOT file IN_LIST built)
      string(APPEND wrong "${page}: ${name} is not built by the preset kit\n")
    endif()
    math(EXPR found "${found} + 1")
  endforeach()
endforeach()
if(NOT wrong STREQUAL "")
  message(FATAL_ERROR "${wrong}")
endif()
if(found LESS 10)
  message(FATAL_ERROR "only ${found} programs found in the pages: does the pattern still fit?")
endif()
message(STATUS "${found} names, each of them built")
