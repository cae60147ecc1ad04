# Makes the glue between the kit and those who receive grades, in the convention of each:
#
#   cmake --workflow --preset glue      -> build/glue/gradescope.zip, github/, gitlab/, jenkins/,
#                                          prairielearn/, vpl/, autolab/, shards/
#
#   cmake -DSOURCE=. -DOUT=build/glue -P glue.cmake
#
# A teacher touches settings.sh, course.txt and the receiver's own file: tests/grading/README.md.
cmake_minimum_required(VERSION 3.25)

set(from "${SOURCE}/tests/grading/glue")
file(REMOVE_RECURSE "${OUT}")
file(MAKE_DIRECTORY "${OUT}")

# The kit itself, as it stands here, without what was built.
set(work "${OUT}/work")
file(MAKE_DIRECTORY "${work}/kit")
foreach(part CMakeLists.txt CMakePresets.json README.md common lessons solutions tests slides)
  if(EXISTS "${SOURCE}/${part}")
    file(COPY "${SOURCE}/${part}" DESTINATION "${work}/kit")
  endif()
endforeach()
execute_process(COMMAND ${CMAKE_COMMAND} -E tar czf "${OUT}/kit.tar.gz" kit
  WORKING_DIRECTORY "${work}" COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE "${work}")

file(GLOB receivers RELATIVE "${from}" "${from}/*")
foreach(receiver IN LISTS receivers)
  if(IS_DIRECTORY "${from}/${receiver}")
    file(COPY "${from}/${receiver}" DESTINATION "${OUT}")
  endif()
endforeach()
foreach(receiver gradescope prairielearn vpl)
  foreach(file build.sh settings.sh course.txt)
    file(COPY "${from}/${file}" DESTINATION "${OUT}/${receiver}")
  endforeach()
  file(COPY "${OUT}/kit.tar.gz" DESTINATION "${OUT}/${receiver}")
endforeach()
set(executable OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
file(CHMOD "${OUT}/gradescope/setup.sh" "${OUT}/gradescope/run_autograder" "${OUT}/vpl/vpl_evaluate.sh"
  "${OUT}/prairielearn/entrypoint.sh" "${OUT}/shards/slurm.sh" PERMISSIONS ${executable})

# Autolab unpacks its own archive beside the hand-in.
file(MAKE_DIRECTORY "${OUT}/autolab/grader")
foreach(file build.sh settings.sh course.txt)
  file(COPY "${from}/${file}" DESTINATION "${OUT}/autolab/grader")
endforeach()
file(COPY "${OUT}/kit.tar.gz" DESTINATION "${OUT}/autolab/grader")
execute_process(COMMAND ${CMAKE_COMMAND} -E tar cf autograde.tar grader
  WORKING_DIRECTORY "${OUT}/autolab" COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE "${OUT}/autolab/grader")
file(RENAME "${OUT}/autolab/Makefile" "${OUT}/autolab/autograde-Makefile")

# Gradescope takes one archive, its two programs at the top.
file(GLOB files RELATIVE "${OUT}/gradescope" "${OUT}/gradescope/*")
execute_process(COMMAND ${CMAKE_COMMAND} -E tar cf "${OUT}/gradescope.zip" --format=zip ${files}
  WORKING_DIRECTORY "${OUT}/gradescope" COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE "${OUT}/gradescope")
message(NOTICE "${OUT}: gradescope.zip, github, gitlab, jenkins, prairielearn, vpl, autolab, shards.\n"
  "What to change in them: tests/grading/README.md")
