# Makes the wrong answers of a lesson: for each kit_mutant() of tests/mutants/NN_name.cmake a folder
# with the files that differ from the solution, and mutant.txt, which says what should catch it.
#
#   cmake -DLIST=tests/mutants/01_tcp_echo.cmake -DSOLUTION=solutions/01_tcp_echo
#         -DOUT=build/proof/01_tcp_echo/mutants -P mutants.cmake
#
# A list reads like this; REPLACE and WITH may be repeated, and FILE between them:
#
#   kit_mutant(
#     NAME no-htons
#     SENTENCE "The port goes into the address in the machine's own byte order."
#     FILE server.cpp
#     REPLACE [[htons(port)]]
#     WITH [[port]]
#     STEP 01.4
#     WORDS "listening on" "another port"
#     NOT_WORDS "TIME_WAIT")
#
# The step's report says all of WORDS and, if NOT_WORDS are given, none of those: a cause that is not
# the mistake's.
#
# The text to replace must stand in the file exactly once: a mutant that changes nothing, or
# something else than was meant, would prove nothing. All mistakes of a list are told at once.
cmake_minimum_required(VERSION 3.25)

foreach(variable IN ITEMS LIST SOLUTION OUT)
  if(NOT DEFINED ${variable})
    message(FATAL_ERROR "mutants.cmake needs -D${variable}=…")
  endif()
endforeach()

set(names "")

# Writes a file only if that changes it, so that nothing is compiled again for no reason.
function(write_if_changed path text)
  if(EXISTS "${path}")
    file(READ "${path}" before)
    if(before STREQUAL text)
      return()
    endif()
  endif()
  file(WRITE "${path}" "${text}")
endfunction()

# Sets `result` to how often `text` stands in `whole`, counted up to 2, and `where` to its place.
function(count_text whole text result where)
  string(FIND "${whole}" "${text}" first)
  set(${where} ${first} PARENT_SCOPE)
  if(first EQUAL -1)
    set(${result} 0 PARENT_SCOPE)
    return()
  endif()
  string(FIND "${whole}" "${text}" last REVERSE)
  if(first EQUAL last)
    set(${result} 1 PARENT_SCOPE)
  else()
    set(${result} 2 PARENT_SCOPE)
  endif()
endfunction()

# Notes a mistake of the mutant `name`. (A string, not a list: code has semicolons.)
function(mistake text)
  set_property(GLOBAL APPEND_STRING PROPERTY mistakes "mutant ${name}: ${text}\n\n")
endfunction()

# Arguments are taken one by one from ARGV0, ARGV1, …: as a list, code would fall apart at its
# semicolons and lose its backslashes.
function(kit_mutant)
  set(keywords NAME SENTENCE FILE REPLACE WITH STEP WORDS NOT_WORDS)
  set(name "(without a name)")
  set(keyword "")
  set(file "")
  set(files "")
  set(edits 0)
  set(count_words 0)
  set(unwanted "")
  if(ARGC EQUAL 0)
    mistake("it says nothing")
    return()
  endif()
  math(EXPR last "${ARGC} - 1")
  foreach(i RANGE ${last})
    set(value "${ARGV${i}}")
    if(NOT keyword STREQUAL "" AND NOT keyword MATCHES "WORDS$")
      set(taken ${keyword})
      set(keyword "")
    elseif(value IN_LIST keywords)
      set(keyword "${value}")
      continue()
    elseif(keyword MATCHES "WORDS$")
      set(taken ${keyword})
    else()
      mistake("\"${value}\" follows no keyword (NAME, SENTENCE, FILE, REPLACE, WITH, STEP, WORDS,
NOT_WORDS)")
      return()
    endif()

    if(taken STREQUAL "NAME")
      set(name "${value}")
    elseif(taken STREQUAL "FILE")
      set(file "${value}")
    elseif(taken STREQUAL "REPLACE")
      math(EXPR edits "${edits} + 1")
      set(replace_${edits} "${value}")
      set(file_${edits} "${file}")
    elseif(taken STREQUAL "WITH")
      set(with_${edits} "${value}")
    elseif(taken STREQUAL "WORDS")
      math(EXPR count_words "${count_words} + 1")
      set(words_${count_words} "${value}")
    elseif(taken STREQUAL "NOT_WORDS")
      string(APPEND unwanted "not words\t${value}\n")
    else()
      set(given_${taken} "${value}")
    endif()
  endforeach()

  if(NOT name MATCHES "^[a-z0-9][a-z0-9-]*$")
    mistake("a name is made of lower-case letters, digits and hyphens")
    return()
  endif()
  if(name IN_LIST names)
    mistake("the name is taken twice")
  endif()
  list(APPEND names "${name}")
  set(names "${names}" PARENT_SCOPE)
  if(NOT given_STEP MATCHES "^[0-9][0-9]\\.[0-9]+$")
    mistake("STEP must name the step that catches it, such as 01.4")
  endif()
  if("${given_SENTENCE}" STREQUAL "")
    mistake("SENTENCE is missing: what is wrong, in one sentence")
  endif()
  if(count_words EQUAL 0)
    mistake("WORDS is missing: what the step's message must say")
  endif()
  if(edits EQUAL 0)
    mistake("REPLACE and WITH are missing")
    return()
  endif()

  foreach(i RANGE 1 ${edits})
    set(file "${file_${i}}")
    if(NOT DEFINED with_${i})
      mistake("REPLACE number ${i} has no WITH")
      return()
    endif()
    if(NOT file IN_LIST files)
      if("${file}" STREQUAL "" OR NOT EXISTS "${SOLUTION}/${file}")
        mistake("the solution has no file \"${file}\"")
        return()
      endif()
      file(READ "${SOLUTION}/${file}" text_of_${file})
      list(APPEND files "${file}")
    endif()
    set(text "${text_of_${file}}")
    if("${replace_${i}}" STREQUAL "${with_${i}}")
      mistake("REPLACE number ${i} and its WITH are the same")
    endif()
    set(replace "${replace_${i}}")
    set(count 0)
    set(start -1)
    if(NOT replace STREQUAL "")
      count_text("${text}" "${replace}" count start)
    endif()
    if(count EQUAL 0)
      mistake("this text does not stand in ${file}:\n${replace}")
      return()
    elseif(NOT count EQUAL 1)
      mistake("this text stands in ${file} more than once:\n${replace}")
      return()
    endif()
    string(LENGTH "${replace}" length)
    math(EXPR end "${start} + ${length}")
    string(SUBSTRING "${text}" 0 ${start} before)
    string(SUBSTRING "${text}" ${end} -1 after)
    set(text_of_${file} "${before}${with_${i}}${after}")
  endforeach()

  set(about "sentence\t${given_SENTENCE}\nstep\t${given_STEP}\n")
  foreach(i RANGE 1 ${count_words})
    string(APPEND about "words\t${words_${i}}\n")
  endforeach()
  string(APPEND about "${unwanted}")
  foreach(file IN LISTS files)
    string(APPEND about "file\t${file}\n")
    write_if_changed("${OUT}/${name}/${file}" "${text_of_${file}}")
  endforeach()
  file(GLOB present RELATIVE "${OUT}/${name}" "${OUT}/${name}/*")
  foreach(old IN LISTS present)
    if(NOT old IN_LIST files AND NOT old STREQUAL "mutant.txt")
      file(REMOVE_RECURSE "${OUT}/${name}/${old}")
    endif()
  endforeach()
  write_if_changed("${OUT}/${name}/mutant.txt" "${about}")
endfunction()

include("${LIST}")

file(GLOB present RELATIVE "${OUT}" "${OUT}/*")
foreach(old IN LISTS present)
  if(NOT old IN_LIST names)
    file(REMOVE_RECURSE "${OUT}/${old}")
  endif()
endforeach()

# The list's order is the table's order.
string(REPLACE ";" "\n" order "${names}")
write_if_changed("${OUT}/order.txt" "${order}\n")

get_property(mistakes GLOBAL PROPERTY mistakes)
if(NOT "${mistakes}" STREQUAL "")
  message(NOTICE "${mistakes}")
  message(FATAL_ERROR "The wrong answers of ${LIST} cannot be made.")
endif()
