# Installs the framework, moves it, and builds projects against it: consumer/, and the README's example.
#
#   cmake -DROOT=. -DBUILD=build -DWORK=… -DCOMPILER=g++ -DVERSION=1.0.0 -P package_test.cmake
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said TIMEOUT 300)
  set(said "${said}" PARENT_SCOPE)
  set(status "${status}" PARENT_SCOPE)
endfunction()
function(run_well)
  run(${ARGN})
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: ${status}\n${said}")
  endif()
endfunction()

# Configures and builds the project in `source`; nothing of the kit is told to it but the prefix.
function(build source build)
  run_well(${CMAKE_COMMAND} -S ${source} -B ${build} -DCMAKE_CXX_COMPILER=${COMPILER}
    -DCMAKE_PREFIX_PATH=${WORK}/moved ${ARGN})
  run_well(${CMAKE_COMMAND} --build ${build})
endfunction()

file(REMOVE_RECURSE ${WORK})
run_well(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/installed)
# It must not remember where it was made, or put.
file(RENAME ${WORK}/installed ${WORK}/moved)
file(GLOB_RECURSE files ${WORK}/moved/*.cmake)
foreach(file IN LISTS files)
  file(READ ${file} text)
  foreach(folder ${ROOT} ${WORK})
    string(FIND "${text}" "${folder}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${file} names ${folder}")
    endif()
  endforeach()
endforeach()

# Every header alone, and each kind of server at work. (Named *.in: in the kit they cannot be compiled.)
configure_file(${CMAKE_CURRENT_LIST_DIR}/consumer/CMakeLists.txt.in ${WORK}/consumer/CMakeLists.txt COPYONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/consumer/consumer.cpp.in ${WORK}/consumer/consumer.cpp COPYONLY)
file(GLOB headers RELATIVE ${WORK}/moved/include ${WORK}/moved/include/socketserver/*.hpp)
foreach(header threading_mixin forking_mixin selector_mixin epoll_selector stream_handler tcp_server)
  if(NOT socketserver/${header}.hpp IN_LIST headers)
    message(FATAL_ERROR "${header}.hpp is not installed:\n${headers}")
  endif()
endforeach()
foreach(header IN LISTS headers)
  string(MAKE_C_IDENTIFIER ${header} name)
  file(WRITE ${WORK}/consumer/alone/${name}.cpp "#include <${header}>\n#include <${header}>\n")
endforeach()
build(${WORK}/consumer ${WORK}/consumer-build -DWANTED=${VERSION})
run_well(${WORK}/consumer-build/consumer)

# Another major version is refused.
run(${CMAKE_COMMAND} -S ${WORK}/consumer -B ${WORK}/refused -DCMAKE_CXX_COMPILER=${COMPILER}
  -DCMAKE_PREFIX_PATH=${WORK}/moved -DWANTED=99)
if(status EQUAL 0 OR NOT said MATCHES "requested version \"?99")
  message(FATAL_ERROR "version 99 was found:\n${said}")
endif()

# The README's example, word for word.
file(READ ${ROOT}/README.md text)
string(FIND "${text}" "## The framework in a program of your own" at)
string(SUBSTRING "${text}" ${at} -1 text)
string(REGEX MATCH "```cmake\n([^`]*)```" found "${text}")
file(WRITE ${WORK}/echo/CMakeLists.txt "${CMAKE_MATCH_1}")
string(REGEX MATCH "```cpp\n([^`]*)```" found "${text}")
file(WRITE ${WORK}/echo/echo.cpp "${CMAKE_MATCH_1}")
build(${WORK}/echo ${WORK}/echo-build)
