# A copy of the kit in a folder whose name has a space, an accent and an apostrophe: its lesson 01, with
# the solution in place, is green in two terminals at once, and the same is graded.
#
#   cmake -DSOURCE=. -DCOMPILER=c++ -DWORK=folder -P elsewhere_test.cmake
#
# The copy has the first lesson alone: what is compiled is what another folder can break.
cmake_minimum_required(VERSION 3.25)

set(kit "${WORK}/l'été d'Ann/the kit")
file(REMOVE_RECURSE "${WORK}")
file(COPY "${SOURCE}/CMakeLists.txt" "${SOURCE}/CMakePresets.json" "${SOURCE}/README.md"
     "${SOURCE}/common" DESTINATION "${kit}")
foreach(part CMakeLists.txt 01_tcp_echo_check.cpp cmake grading harness probes proof recorder tools)
  file(COPY "${SOURCE}/tests/${part}" DESTINATION "${kit}/tests")
endforeach()
file(COPY "${SOURCE}/tests/manifest/01_tcp_echo.cmake" DESTINATION "${kit}/tests/manifest")
file(COPY "${SOURCE}/solutions/01_tcp_echo" DESTINATION "${kit}/solutions")
file(COPY "${SOURCE}/solutions/01_tcp_echo" DESTINATION "${kit}/lessons")
file(COPY "${SOURCE}/lessons/01_tcp_echo/first_server.cpp" "${SOURCE}/lessons/01_tcp_echo/README.md"
     DESTINATION "${kit}/lessons/01_tcp_echo")

function(run)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env --unset=MAKEFLAGS --unset=MFLAGS --unset=MAKELEVEL
            "CXX=${COMPILER}" ${ARGN}
    WORKING_DIRECTORY "${kit}" RESULT_VARIABLE status OUTPUT_VARIABLE words ERROR_VARIABLE words)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "in ${kit}: ${command}: ${status}\n${words}")
  endif()
  set(words "${words}" PARENT_SCOPE)
endfunction()

# In two terminals at once: neither breaks what the other is about to write.
set(in_a_terminal sh -c "exec \"$@\" >$0.txt 2>&1")
set(lesson ${CMAKE_COMMAND} -E env --unset=MAKEFLAGS --unset=MFLAGS --unset=MAKELEVEL "CXX=${COMPILER}"
    ${CMAKE_COMMAND} --workflow --preset lesson-01)
execute_process(COMMAND ${in_a_terminal} first ${lesson} COMMAND ${in_a_terminal} second ${lesson}
  WORKING_DIRECTORY "${kit}")
foreach(terminal first second)
  file(READ "${kit}/${terminal}.txt" words)
  if(NOT words MATCHES "01: all 100 points")
    message(FATAL_ERROR "lesson 01 is not green in ${kit}, in the ${terminal} terminal:\n${words}")
  endif()
endforeach()
run(${CMAKE_COMMAND} --build build --parallel 2 --target kit-grade)
run(build/kit-grade lessons/01_tcp_echo --lesson 01 --out "my grades")
if(NOT words MATCHES "100 of 100")
  message(FATAL_ERROR "the grade in ${kit} is not 100 of 100:\n${words}")
endif()
file(REMOVE_RECURSE "${WORK}")  # only if all was well
