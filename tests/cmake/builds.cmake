# The three builds of a candidate, and the functions that make targets in them.
#
#   plain    what a person runs: optimised, uninstrumented
#   checked  AddressSanitizer, UndefinedBehaviorSanitizer, and the recorder
#   raced    ThreadSanitizer, and the recorder

set(KIT_BUILDS plain checked raced)

# Warnings are for people: they never decide a mark. `check` makes errors of them.
set(KIT_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
option(KIT_WERROR "Treat the compiler's warnings in the kit's own code as errors" OFF)
if(KIT_WERROR)
  list(APPEND KIT_WARNINGS -Werror)
endif()

# Other standard libraries bring in headers that nobody asked for, and an unqualified call then finds
# a function of std (a quoted(std::string) of ours: std::quoted). `check` compiles as if all were in.
set(KIT_CROWDED "")
if(KIT_WERROR)
  set(KIT_CROWDED "SHELL:-include iomanip")
endif()

# not_written() shows a file as the learner knows it: relative to the kit.
set(kit_every_build -std=c++20 -pthread -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
# A fortified recv would go round the recorder; it says nothing that the sanitizers do not say. Their
# reports need lines and no more (-g1), which compiles in three quarters of the time.
set(kit_instrumented -g1 -fno-omit-frame-pointer -U_FORTIFY_SOURCE)
set(KIT_FLAGS_plain ${kit_every_build} -O2 -g)
set(KIT_FLAGS_checked ${kit_every_build} -O0 ${kit_instrumented}
  -fsanitize=address,undefined -fno-sanitize-recover=all)
set(KIT_FLAGS_raced ${kit_every_build} -O1 ${kit_instrumented} -fsanitize=thread)

# The linker puts the recorder between a candidate and its system calls, where it can (GNU ld, lld).
include(${CMAKE_CURRENT_LIST_DIR}/../recorder/wraps.cmake)
set(KIT_LINK_plain "")
set(KIT_LINK_checked "")
set(KIT_LINK_raced "")
if(KIT_LINKER_WRAPS)
  add_library(kit_recorder OBJECT ${CMAKE_SOURCE_DIR}/tests/recorder/recorder.cpp)
  target_compile_options(kit_recorder PRIVATE ${kit_every_build} ${KIT_WARNINGS} -O2
    -fno-omit-frame-pointer -U_FORTIFY_SOURCE)
  foreach(build checked raced)
    set(KIT_LINK_${build} ${KIT_WRAP_OPTIONS} $<TARGET_OBJECTS:kit_recorder>)
  endforeach()
endif()

# kit_archives(NAME SOURCES … [INCLUDE …] [USES …]): static libraries NAME_plain, NAME_checked,
# NAME_raced; without sources, what is included and used alone. USES names other such families.
# Nothing is built that nothing needs.
function(kit_archives name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;INCLUDE;USES")
  foreach(build IN LISTS KIT_BUILDS)
    if(arg_SOURCES)
      add_library(${name}_${build} STATIC EXCLUDE_FROM_ALL ${arg_SOURCES})
      target_compile_options(${name}_${build} PRIVATE ${KIT_FLAGS_${build}} ${KIT_WARNINGS})
      if(build STREQUAL plain)
        target_compile_options(${name}_${build} PRIVATE ${KIT_CROWDED})
      endif()
      set(scope PUBLIC)
    else()
      add_library(${name}_${build} INTERFACE)
      set(scope INTERFACE)
    endif()
    target_include_directories(${name}_${build} ${scope} ${arg_INCLUDE})
    foreach(other IN LISTS arg_USES)
      target_link_libraries(${name}_${build} ${scope} ${other}_${build})
    endforeach()
  endforeach()
endfunction()
