# The kit's own figures, which the site shows until the reader's own take their place: slides/costs holds
# the numbers of one run (results.csv) and what kit-bench draws from them. Draws them again, and says so
# where the page, a chart or the table is not what the numbers say.
#
#   cmake -DBENCH=build/kit-bench -DCOSTS=slides/costs -DWORK=… -P costs_test.cmake
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${WORK}")
execute_process(COMMAND "${BENCH}" --from "${COSTS}/results.csv" --out "${WORK}"
                OUTPUT_QUIET ERROR_VARIABLE said RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "kit-bench does not read ${COSTS}/results.csv: ${said}")
endif()
file(GLOB kept RELATIVE "${COSTS}" "${COSTS}/*")
file(GLOB drawn RELATIVE "${WORK}" "${WORK}/*")
list(REMOVE_ITEM kept README.md)
set(differ "")
foreach(file IN LISTS kept drawn)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E compare_files "${COSTS}/${file}" "${WORK}/${file}"
                  RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
  if(NOT result EQUAL 0)
    list(APPEND differ "${file}")
  endif()
endforeach()
if(differ)
  list(REMOVE_DUPLICATES differ)
  list(JOIN differ ", " differ)
  message(FATAL_ERROR "not as drawn from slides/costs/results.csv: ${differ}\n"
    "build/kit-bench --from slides/costs/results.csv --out slides/costs   draws them again")
endif()
message(STATUS "the kit's own figures are drawn from their numbers")
