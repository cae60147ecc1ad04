# The doctor on machines that lack something: each made by an environment or a denied system call.
#
#   cmake -DROOT=. -DWORK=… -DDENY=build/kit-deny -DCOMPILER=g++ -P doctor_test.cmake
cmake_minimum_required(VERSION 3.25)

set(failures 0)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})

# What the doctor says there: `said`. Each argument after WITH is a part of the command before cmake.
macro(ask)
  cmake_parse_arguments(ask "" "" "WITH;ENVIRONMENT" ${ARGN})
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env --unset=LDFLAGS --unset=CXXFLAGS CXX=${COMPILER} ${ask_ENVIRONMENT}
      ${ask_WITH} ${CMAKE_COMMAND} -S ${ROOT} -B ${WORK}/build -DKIT_DOCTOR=ON
    OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE status)
endmacro()

# Whether it said that; `what` names the machine.
macro(expect what)
  foreach(text ${ARGN})
    string(FIND "${said}" "${text}" at)
    if(at EQUAL -1)
      message(NOTICE "${what}: expected\n    ${text}\nbut the doctor said\n${said}")
      math(EXPR failures "${failures} + 1")
    endif()
  endforeach()
endmacro()
macro(expect_fit what)
  expect("${what}" ${ARGN} "This machine is fit.")
endmacro()
macro(expect_unfit what)
  expect("${what}" ${ARGN} "This machine is not fit yet")
endmacro()

# The cure of what it lacks, a command: `cure`.
macro(cure_of what)
  set(cure "")
  if(said MATCHES "lacks    ${what}[^\n]*\n *cure: ([^\n]*)")
    set(cure "${CMAKE_MATCH_1}")
  endif()
endmacro()

ask()
expect_fit("this machine" "ok       CMake" "ok       C++20" "ok       AddressSanitizer" "ok       Catch2"
  "ok       Unix sockets in /tmp")
if(said MATCHES "ok       ThreadSanitizer")
  # A container whose filter denies what switches random addresses off: the steps do without.
  ask(WITH ${DENY} personality)
  expect_fit("no personality" "ok       ThreadSanitizer" "ok       AddressSanitizer")
endif()
# … and one that denies what looks for leaks, which no step does.
ask(WITH ${DENY} ptrace)
expect_fit("no ptrace" "ok       AddressSanitizer")

# The steps' sockets are below /tmp, whatever TMPDIR says; it may be long.
string(REPEAT "x" 90 long)
file(MAKE_DIRECTORY ${WORK}/${long})
ask(ENVIRONMENT TMPDIR=${WORK}/${long})
expect_fit("a long TMPDIR" "ok       Unix sockets in /tmp")

# CXX as CMake reads it, and the flags that CMake adds.
ask(ENVIRONMENT "CXX=env KIT=1 ${COMPILER}")
expect_fit("CXX with arguments" "ok       C++20" "ok       AddressSanitizer")
ask(ENVIRONMENT CXX=kit-no-such-compiler)
expect_unfit("an absent CXX" "CXX is \"kit-no-such-compiler\", and there is no program" "cure: unset CXX")
ask(ENVIRONMENT CXXFLAGS=-kit-no-such-flag)
expect_unfit("wrong CXXFLAGS" "lacks    C++20" "cure: unset CXXFLAGS LDFLAGS")
ask(ENVIRONMENT LDFLAGS=-lkit-no-such-library)
expect_unfit("wrong LDFLAGS" "lacks    C++20" "cure: unset CXXFLAGS LDFLAGS")
ask(ENVIRONMENT CXX=true)
expect_unfit("a CXX that compiles nothing" "lacks    C++20" "cure: unset CXX")

# No build program: said by the doctor, and not by CMake before it is asked. (PATH holds links to all
# that it looks for, but make.)
file(MAKE_DIRECTORY ${WORK}/bin)
foreach(name id setarch sudo apt-get ld as)
  find_program(found ${name} NO_CACHE)
  if(found)
    file(CREATE_LINK ${found} ${WORK}/bin/${name} SYMBOLIC)
  endif()
  unset(found)
endforeach()
ask(ENVIRONMENT PATH=${WORK}/bin CMAKE_GENERATOR=Unix\ Makefiles)
expect_unfit("no make" "lacks    make" "apt-get install -y make" "ok       Catch2" "ok       C++20")

# What the last run found, and somebody has removed since.
execute_process(COMMAND ${CMAKE_COMMAND} -E env CXX=${COMPILER} ${CMAKE_COMMAND} -S ${ROOT} -B ${WORK}/build
  -DKIT_DOCTOR=ON -DDOXYGEN_EXECUTABLE=${WORK}/removed -DCatch2_DIR=${WORK}
  OUTPUT_VARIABLE said ERROR_VARIABLE said)
expect_fit("a Doxygen that is gone" "ok       Catch2")

# A CMake that cannot read the presets.
execute_process(COMMAND ${CMAKE_COMMAND} -Doldest_cmake=99 -P ${ROOT}/tests/cmake/doctor.cmake
  OUTPUT_VARIABLE said ERROR_VARIABLE said)
expect_unfit("an old CMake" "lacks    CMake 99 or later" "apt-get install -y cmake" "unknown  the rest")

# Limits. Where not even root may raise them, no command does: the container's does.
set(few_files sh -c "ulimit -n 512 && exec \"$@\"" sh)
ask(WITH ${few_files})
expect_unfit("few open files" "lacks    open files: 512, at most 512" "nofile=10240:10240")
cure_of("open files")
if(cure MATCHES "^(sudo )?prlimit")
  ask(WITH sh -c "ulimit -n 512 && ${cure} && exec \"$@\"" sh)
  expect_fit("after \"${cure}\"" "open files: 10240, at most 10240")
endif()
file(WRITE ${WORK}/c++ "#!/bin/sh\necho \"c++: fatal error: cannot execute 'cc1plus': Resource temporarily unavailable\" >&2\nexit 1\n")
file(CHMOD ${WORK}/c++ PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
ask(ENVIRONMENT CXX=${WORK}/c++)
expect_unfit("few processes" "lacks    processes: does not compile" "nproc=8192:8192")
find_program(setpriv setpriv)
execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
if(setpriv AND user EQUAL 0)
  ask(WITH ${setpriv} --bounding-set -sys_resource ${few_files})
  expect_unfit("a container" "cure: exit   # and start the container with --ulimit nofile=10240:10240")
endif()

# A network namespace of its own: its loopback is down.
find_program(unshare unshare)
if(unshare AND user EQUAL 0)
  execute_process(COMMAND ${unshare} --net true RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(status EQUAL 0)
    ask(WITH ${unshare} --net)
    expect_unfit("no loopback" "lacks    loopback 127.0.0.1: Network is unreachable" "ip link set lo up")
    cure_of("loopback")
    if(NOT cure MATCHES "apt-get")
      ask(WITH ${unshare} --net sh -c "${cure} && exec \"$@\"" sh)
      expect_fit("after \"${cure}\"" "ok       loopback 127.0.0.1")
    endif()
  endif()
endif()

# What a person pastes is what a shell takes.
foreach(environment CXX=kit-no-such-compiler CXXFLAGS=-kit-no-such-flag)
  ask(ENVIRONMENT ${environment})
  cure_of(".*")
  execute_process(COMMAND sh -c "${cure} && '${CMAKE_COMMAND}' -S '${ROOT}' -B '${WORK}/build' -DKIT_DOCTOR=ON"
    OUTPUT_VARIABLE said ERROR_VARIABLE said)
  expect_fit("after \"${cure}\"")
endforeach()

if(NOT failures EQUAL 0)
  message(FATAL_ERROR "${failures} of these.")
endif()
