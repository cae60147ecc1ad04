# A copy of the kit in a folder whose name has a space, an accent and an apostrophe, used by somebody
# whose TMPDIR is long, whose home cannot be written to, who keeps new files private, and who reads
# Turkish. Its lesson 01, with the solution in place, is green in two terminals at once; the same is
# graded.
#
#   cmake -DSOURCE=. -DCOMPILER=c++ -DWORK=folder -P elsewhere_test.cmake
#
# The copy has the first lesson alone: what is compiled is what another folder can break. It stands as
# out of a tarball, without .git, and then as a worktree of git.
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

# The person: `as_them` before a command makes it theirs. (Below a TMPDIR of 101 characters no socket
# has room: its path has at most 107. In Turkish the capital of i has a dot. Where the locale is not
# there, programs do without.)
string(LENGTH "${WORK}/" length)
math(EXPR length "101 - ${length}")
if(length LESS 1)
  set(length 1)
endif()
string(REPEAT "t" ${length} long)
set(TMPDIR "${WORK}/${long}")
set(HOME "${WORK}/home")
file(MAKE_DIRECTORY "${TMPDIR}" "${HOME}")
file(CHMOD "${HOME}" PERMISSIONS OWNER_READ OWNER_EXECUTE)
set(as_them ${CMAKE_COMMAND} -E env --unset=MAKEFLAGS --unset=MFLAGS --unset=MAKELEVEL --unset=LC_ALL
    "CXX=${COMPILER}" "TMPDIR=${TMPDIR}" "HOME=${HOME}" LANG=tr_TR.UTF-8
    sh -c "umask 077 && exec \"$@\"" sh)

function(run)
  execute_process(COMMAND ${as_them} ${ARGN}
    WORKING_DIRECTORY "${kit}" RESULT_VARIABLE status OUTPUT_VARIABLE words ERROR_VARIABLE words)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "in ${kit}: ${command}: ${status}\n${words}")
  endif()
  set(words "${words}" PARENT_SCOPE)
endfunction()
set(lesson ${CMAKE_COMMAND} --workflow --preset lesson-01)
function(expect_green terminal)
  if(NOT words MATCHES "01: all 100 points")
    message(FATAL_ERROR "lesson 01 is not green in ${kit}, ${terminal}:\n${words}")
  endif()
endfunction()

# A second terminal's CMake empties the place where the first one's tries its compiler, whenever it comes:
# this compiler does so each time it is called.
file(WRITE "${WORK}/interrupted" "#!/bin/sh\nrm -rf '${WORK}/fresh/CMakeFiles/CMakeScratch'/*\nexec '${COMPILER}' \"$@\"\n")
file(CHMOD "${WORK}/interrupted" PERMISSIONS OWNER_READ OWNER_EXECUTE)
run(${CMAKE_COMMAND} -E env "CXX=${WORK}/interrupted" ${CMAKE_COMMAND} -S . -B "${WORK}/fresh")

# In two terminals at once: neither breaks what the other is about to write.
set(in_a_terminal ${as_them} sh -c "exec \"$@\" >$0.txt 2>&1")
execute_process(COMMAND ${in_a_terminal} first ${lesson} COMMAND ${in_a_terminal} second ${lesson}
  WORKING_DIRECTORY "${kit}")
foreach(terminal first second)
  file(READ "${kit}/${terminal}.txt" words)
  expect_green("in the ${terminal} terminal")
endforeach()

# Two graders at once. (As nobody else can read this folder, each compiles against copies of its own.)
run(${CMAKE_COMMAND} --build build --parallel 2 --target kit-grade)
set(grade build/kit-grade lessons/01_tcp_echo --lesson 01 --out)
execute_process(COMMAND ${in_a_terminal} first ${grade} "my grades"
  COMMAND ${in_a_terminal} second ${grade} "their grades" WORKING_DIRECTORY "${kit}")
foreach(terminal first second)
  file(READ "${kit}/${terminal}.txt" words)
  if(NOT words MATCHES "100 of 100")
    message(FATAL_ERROR "the grade in ${kit}, ${terminal} terminal, is not 100 of 100:\n${words}")
  endif()
endforeach()

# In a worktree .git is a file.
find_program(git git)
if(git)
  set(origin "${WORK}/origin")
  file(MAKE_DIRECTORY "${origin}")
  foreach(command "init --quiet" "commit --quiet --allow-empty -m Start"
                  "worktree add --quiet ../worktree")
    separate_arguments(command)
    execute_process(COMMAND ${git} -c user.name=Ann -c user.email=ann@example.org ${command}
      WORKING_DIRECTORY "${origin}" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  file(RENAME "${WORK}/worktree/.git" "${kit}/.git")
  run(${lesson})
  expect_green("as a worktree of git")
endif()

# What CMake would refuse, the kit refuses in a sentence: two configurations in one folder …
file(WRITE "${WORK}/ninja" "#!/bin/sh\necho 1.11\n")
file(CHMOD "${WORK}/ninja" PERMISSIONS OWNER_READ OWNER_EXECUTE)
execute_process(COMMAND ${CMAKE_COMMAND} -G "Ninja Multi-Config" -DCMAKE_MAKE_PROGRAM=${WORK}/ninja
  -S "${kit}" -B "${WORK}/several" ERROR_VARIABLE words OUTPUT_QUIET)
if(NOT words MATCHES "makes[ \n]+several: unset CMAKE_GENERATOR")
  message(FATAL_ERROR "Ninja Multi-Config is not refused as it should be:\n${words}")
endif()
# … and a folder that was moved, with a cure to be pasted.
set(moved "${WORK}/moved kit")
file(RENAME "${kit}" "${moved}")
set(doctor ${CMAKE_COMMAND} -P tests/cmake/doctor.cmake)
execute_process(COMMAND ${doctor} WORKING_DIRECTORY "${moved}" ERROR_VARIABLE words OUTPUT_QUIET)
if(NOT words MATCHES "made for [^\n]*the kit\n *cure: ([^\n]*)")
  message(FATAL_ERROR "the doctor does not see that the kit was moved:\n${words}")
endif()
set(cure "${CMAKE_MATCH_1}")
execute_process(COMMAND sh -c "${cure}" WORKING_DIRECTORY "${moved}" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} -E env CXX=${COMPILER} ${doctor} WORKING_DIRECTORY "${moved}"
  ERROR_VARIABLE words OUTPUT_VARIABLE words RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "not fit after \"${cure}\":\n${words}")
endif()
file(REMOVE_RECURSE "${WORK}")  # only if all was well
