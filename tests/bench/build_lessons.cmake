# Builds the learner's servers one by one. One that does not build is taken away, so that no older
# program of that name is measured; kit-bench says that it is left out.
#
#   cmake -DBUILD=… -DPROGRAMS=lessons_01_server_plain,… -P build_lessons.cmake

string(REPLACE "," ";" programs "${PROGRAMS}")
foreach(program IN LISTS programs)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --target ${program}
    RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  if(failed)
    string(REGEX REPLACE "^lessons_([0-9]+)_.*" "\\1" number ${program})
    file(GLOB servers ${BUILD}/lessons/${number}_*/server)
    if(servers)
      file(REMOVE ${servers})
    endif()
    message(NOTICE "The server of lesson ${number} does not build: "
      "cmake --workflow --preset lesson-${number} says why.")
  endif()
endforeach()
