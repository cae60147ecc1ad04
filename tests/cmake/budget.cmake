# How long a learner waits. Measures, on a copy of the kit with lesson 01 solved:
#
#   the cold build up to the first verdict        (under 60 s on 2 cores)
#   the steps of lesson 01 together               (under 5 s)
#   from saving server.cpp to its step's verdict  (under 3 s)
#
#   cmake -DROOT=… -DWORK=… -DCOMPILER=… -DOUT=… -P budget.cmake
#
# Prints and keeps the figures. A slow or busy machine is no fault: only a command that fails is.

cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/kit)
file(COPY ${ROOT}/CMakeLists.txt ${ROOT}/CMakePresets.json ${ROOT}/common ${ROOT}/lessons
  ${ROOT}/solutions ${ROOT}/tests DESTINATION ${WORK}/kit)
# (file(COPY) passes over a file that is as old as the one it would replace: a fresh clone's are.)
file(GLOB solved RELATIVE ${ROOT}/solutions/01_tcp_echo ${ROOT}/solutions/01_tcp_echo/*.cpp)
foreach(file IN LISTS solved)
  file(COPY_FILE ${ROOT}/solutions/01_tcp_echo/${file} ${WORK}/kit/lessons/01_tcp_echo/${file})
endforeach()

function(now result)
  string(TIMESTAMP seconds "%s" UTC)
  string(TIMESTAMP micros "%f" UTC)
  math(EXPR value "${seconds} * 1000 + ${micros} / 1000")
  set(${result} ${value} PARENT_SCOPE)
endfunction()

function(run)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=MAKEFLAGS --unset=MAKELEVEL ${ARGN}
    WORKING_DIRECTORY ${WORK}/kit RESULT_VARIABLE status OUTPUT_VARIABLE words ERROR_VARIABLE words)
  if(NOT status EQUAL 0)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "${command}: ${status}\n${words}")
  endif()
endfunction()

# Runs commands (separated by AND) and writes down how long they took.
function(measure what)
  now(begin)
  set(command "")
  foreach(word IN LISTS ARGN ITEMS AND)
    if(word STREQUAL "AND")
      run(${command})
      set(command "")
    else()
      list(APPEND command ${word})
    endif()
  endforeach()
  now(end)
  math(EXPR tenths "(${end} - ${begin} + 50) / 100")
  math(EXPR whole "${tenths} / 10")
  math(EXPR part "${tenths} % 10")
  file(APPEND ${OUT} "${what}: ${whole}.${part} s\n")
endfunction()

get_filename_component(folder ${OUT} DIRECTORY)
file(MAKE_DIRECTORY ${folder})
file(WRITE ${OUT} "")
set(ctest ${CMAKE_CTEST_COMMAND} --preset lesson-01)
set(build ${CMAKE_COMMAND} --build --preset lesson-01)

measure("a cold build up to the first verdict"
  ${CMAKE_COMMAND} --preset kit -DCMAKE_CXX_COMPILER=${COMPILER} -DKIT_LESSONS=01
  AND ${build} AND ${ctest} -R "^01\\.1 ")
measure("the steps of lesson 01, one after the other" ${ctest})
file(APPEND ${WORK}/kit/lessons/01_tcp_echo/server.cpp "// saved again\n")
measure("from saving server.cpp to its step's verdict" ${build} AND ${ctest} -R "^01\\.7 ")
file(READ ${OUT} figures)
message("${figures}")
file(REMOVE_RECURSE ${WORK})
