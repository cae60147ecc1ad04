# One build of this folder at a time.
#
# Two terminals that build at the same moment would write the same objects and archives ("ranlib: file
# truncated"). So what `cmake --build` starts (make, or Ninja) is a few lines of shell, build/kit/make,
# that hold a lock of this folder as long as the real one runs; the second build says that it waits. A
# command that a build ends with and that builds nothing more (KIT_UNLOCKED COMMAND…) gives the lock
# back. Where there is no flock(1), as on macOS, nothing is locked.
#
# Include this before project(): what tries the compiler there runs make too, and waits for nobody.

file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/kit)
# Configured at the same moment, a fresh folder would come to the same harm. What CMake cannot lock (some
# network file systems), it leaves.
file(LOCK ${CMAKE_BINARY_DIR}/kit/configure.lock GUARD PROCESS TIMEOUT 600 RESULT_VARIABLE ignored)
set(ENV{KIT_LOCKED} ${CMAKE_BINARY_DIR})

# What the compiler is and can is found out in a folder that only the holder of the lock touches (see
# compiler/CMakeLists.txt); project() then finds it known. Where that fails, project() says why.
set(kit_known CMakeFiles/${CMAKE_VERSION})
set(kit_compiler ${CMAKE_BINARY_DIR}/kit/compiler)
if(NOT EXISTS ${CMAKE_BINARY_DIR}/${kit_known}/CMakeCXXCompiler.cmake)
  set(kit_chosen "")
  foreach(variable CMAKE_CXX_COMPILER CMAKE_CXX_FLAGS CMAKE_EXE_LINKER_FLAGS CMAKE_MAKE_PROGRAM
          CMAKE_TOOLCHAIN_FILE CMAKE_SYSROOT CMAKE_OSX_ARCHITECTURES CMAKE_OSX_DEPLOYMENT_TARGET CMAKE_OSX_SYSROOT)
    if(DEFINED ${variable})
      list(APPEND kit_chosen "-D${variable}=${${variable}}")
    endif()
  endforeach()
  file(REMOVE_RECURSE ${kit_compiler})
  execute_process(COMMAND ${CMAKE_COMMAND} -G ${CMAKE_GENERATOR} ${kit_chosen}
    -S ${CMAKE_CURRENT_LIST_DIR}/compiler -B ${kit_compiler}
    RESULT_VARIABLE kit_status OUTPUT_QUIET ERROR_QUIET)
  if(kit_status EQUAL 0)
    file(COPY ${kit_compiler}/${kit_known} DESTINATION ${CMAKE_BINARY_DIR}/CMakeFiles)
    set(CMAKE_PLATFORM_INFO_INITIALIZED 1 CACHE INTERNAL "project() reads what is known")
    load_cache(${kit_compiler} READ_WITH_PREFIX kit_ CMAKE_CXX_COMPILER)
    set(CMAKE_CXX_COMPILER ${kit_CMAKE_CXX_COMPILER} CACHE FILEPATH "CXX compiler" FORCE)
  endif()
endif()
include(${kit_compiler}/answers.cmake OPTIONAL)

set(KIT_UNLOCKED "")
find_program(KIT_FLOCK flock)
mark_as_advanced(KIT_FLOCK)

# After project(), which finds out what the real one is called.
macro(kit_one_build_at_a_time)
  if(KIT_FLOCK)
    set(kit_make ${CMAKE_BINARY_DIR}/kit/make)
    if(NOT CMAKE_MAKE_PROGRAM STREQUAL kit_make)
      set(KIT_MAKE_PROGRAM "${CMAKE_MAKE_PROGRAM}" CACHE INTERNAL "What kit/make starts")
    endif()
    configure_file(${CMAKE_CURRENT_LIST_DIR}/tests/cmake/make.in ${kit_make} @ONLY
      FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
    set(CMAKE_MAKE_PROGRAM ${kit_make} CACHE FILEPATH "Holds a lock, and starts KIT_MAKE_PROGRAM" FORCE)
    set(KIT_UNLOCKED ${kit_make} --unlocked)
  endif()
endmacro()
