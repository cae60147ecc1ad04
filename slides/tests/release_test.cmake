# Builds the site of release 2 and looks for what a learner of that release must not see; then the site of
# the hand-out of release 3, from what is in it:
#
#   cmake -DSOURCE=. -DDOXYGEN=doxygen -DMANIFEST=… -DWORK=… -P release_test.cmake
cmake_minimum_required(VERSION 3.25)

# A learner's last run, as `progress` keeps it: the cards of the tasks show it.
file(REMOVE_RECURSE "${WORK}/results")
file(WRITE "${WORK}/results/kit/progress/01.1" "step\t01.1\nstatus\tpass\n")
file(WRITE "${WORK}/results/kit/progress/01.2" "step\t01.2\nstatus\tfail\n")
execute_process(COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${SOURCE}" "-DDOXYGEN=${DOXYGEN}" "-DMANIFEST=${MANIFEST}"
                        "-DRESULTS=${WORK}/results" -DRELEASE=2 "-DOUT=${WORK}/site" "-DWORK=${WORK}/work"
                        -P "${CMAKE_CURRENT_LIST_DIR}/../cmake/build_site.cmake"
                RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "the site of release 2 is not built")
endif()

get_filename_component(SOURCE "${SOURCE}" ABSOLUTE)

set(leaks "")
file(GLOB pages RELATIVE "${WORK}/site" "${WORK}/site/*.html" "${WORK}/site/*.js" "${WORK}/site/*.svg")
foreach(page IN LISTS pages)
  if(page MATCHES "^(lesson|deck)_0?([0-9]+)\\." AND CMAKE_MATCH_2 GREATER 2)
    list(APPEND leaks "${page}: a page of a later lesson")
  elseif(page MATCHES "^(mistakes|instructor_guide|grading|proof|writing_decks)")
    list(APPEND leaks "${page}: a page for teachers")
  elseif(page MATCHES "^source_(solutions_0?([2-9])|tests)_")
    list(APPEND leaks "${page}: an answer")
  elseif(page MATCHES "^0[3-9]_.*svg$")
    list(APPEND leaks "${page}: a picture of a later lesson")
  endif()
  if(page MATCHES "^deck_" )
    file(READ "${WORK}/site/${page}" html)
    if(html MATCHES "Minutes: [0-9]")
      list(APPEND leaks "${page}: speaker notes")
    endif()
  endif()
endforeach()
file(READ "${WORK}/site/lesson_01.html" html)
foreach(chip IN ITEMS " passed\"><b>01.1<" " failed\"><b>01.2<" "\"><b>01.3<")
  string(FIND "${html}" "<li class=\"step${chip}" at)
  if(at EQUAL -1)
    list(APPEND leaks "lesson_01.html: no step as the last run judged it: ${chip}")
  endif()
endforeach()
if(leaks)
  list(JOIN leaks "\n  " leaks)
  message(FATAL_ERROR "release 2 shows\n  ${leaks}")
endif()

# The hand-out of a release builds its own site, from the files that are in it.
execute_process(COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${SOURCE}" "-DMANIFEST=${MANIFEST}" -DRELEASE=3
                        "-DOUT=${WORK}/handout" -P "${SOURCE}/tests/cmake/handout.cmake"
                RESULT_VARIABLE result)
file(ARCHIVE_EXTRACT INPUT "${WORK}/handout/kit-release-3.tar.gz" DESTINATION "${WORK}/kit")
file(GLOB kit "${WORK}/kit/*")
execute_process(COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${kit}" "-DDOXYGEN=${DOXYGEN}" "-DMANIFEST=${MANIFEST}"
                        -DRELEASE=3 "-DOUT=${WORK}/handout-site" "-DWORK=${WORK}/handout-work"
                        -P "${kit}/slides/cmake/build_site.cmake"
                RESULT_VARIABLE result)
if(NOT result EQUAL 0 OR NOT EXISTS "${WORK}/handout-site/lesson_03.html")
  message(FATAL_ERROR "the hand-out of release 3 does not build its site")
endif()
message(STATUS "release 2 shows lessons 1 and 2, and no answer to lesson 2")
