# Four graders side by side, each with a right answer: a busy machine costs nobody points.
#
#   cmake -DGRADE=build/kit-grade -DSOURCE=. -DWORK=… -DLESSONS="01 02 05" -P beside_test.cmake
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}/anna/lessons")
set(steps "")
string(REPLACE " " ";" lessons "${LESSONS}")
foreach(lesson IN LISTS lessons)
  file(GLOB solution "${SOURCE}/solutions/${lesson}_*")
  file(COPY ${solution} DESTINATION "${WORK}/anna/lessons")
  list(APPEND steps --lesson ${lesson})
endforeach()
# The steps that have the most to do, or the least time.
foreach(step 01.5 01.9 02.8 05.1 07.2)
  string(SUBSTRING "${step}" 0 2 lesson)
  if(lesson IN_LIST lessons)
    list(APPEND steps --step ${step})
  endif()
endforeach()
string(JOIN " " steps ${steps})

execute_process(COMMAND sh -c "\
    all=
    for i in 1 2 3 4; do
      '${GRADE}' '${WORK}/anna' ${steps} --out '${WORK}/grades-'$i > '${WORK}/said-'$i 2>&1 &
      all=\"$all $!\"
    done
    bad=0
    for one in $all; do wait $one || bad=1; done
    exit $bad"
  RESULT_VARIABLE status)
if(status)
  set(words "")
  foreach(i RANGE 1 4)
    file(READ "${WORK}/said-${i}" said)
    string(APPEND words "${said}")
    if(EXISTS "${WORK}/grades-${i}/anna/report.md")
      file(READ "${WORK}/grades-${i}/anna/report.md" said)
      string(APPEND words "${said}")
    endif()
  endforeach()
  message(FATAL_ERROR "a right answer has lost points beside three others:\n${words}")
endif()
file(REMOVE_RECURSE "${WORK}")
