# A grader who is not root, and whose build folder is somebody else's: he can read it, and write nothing
# there. The right answer gets all points, with Landlock and without.
#
#   cmake -DGRADE=build/kit-grade -DSOURCE=. -P other_user_test.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
find_program(setpriv setpriv)
if(NOT user EQUAL 0 OR NOT setpriv)
  message("NOT RUN: only root can become another user (setpriv)")
  return()
endif()
set(as_another ${setpriv} --reuid=54321 --regid=54321 --clear-groups)
execute_process(COMMAND ${as_another} ${GRADE} --help RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
if(NOT status EQUAL 0)
  message("NOT RUN: other users cannot reach ${GRADE}")
  return()
endif()

execute_process(COMMAND mktemp -d /var/tmp/kit-other-user-XXXXXX OUTPUT_VARIABLE out
  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND chown 54321:54321 ${out} COMMAND_ERROR_IS_FATAL ANY)
foreach(without "" "--without;landlock")
  execute_process(
    COMMAND ${as_another} ${GRADE} ${SOURCE}/solutions/01_tcp_echo --lesson 01 --again ${without} --out ${out}
    RESULT_VARIABLE status OUTPUT_VARIABLE words ERROR_VARIABLE words)
  if(NOT status EQUAL 0 OR NOT words MATCHES "100 of 100")
    break()
  endif()
endforeach()
file(REMOVE_RECURSE ${out})
if(NOT status EQUAL 0 OR NOT words MATCHES "100 of 100")
  message(FATAL_ERROR "another user's grade ${without} is not 100 of 100 (exit ${status}):\n${words}")
endif()
