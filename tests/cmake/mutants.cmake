# Makes answers of a solution: for each kit_mutant() or kit_answer() of a list a folder with the files
# that differ from the solution, and mutant.txt, which says what is different about it.
#
#   cmake -DLIST=tests/mutants/01_tcp_echo.cmake -DSOLUTION=solutions/01_tcp_echo
#         -DOUT=build/proof/01_tcp_echo/mutants -P mutants.cmake
#
# A wrong answer reads like this; REPLACE and WITH may be repeated, and FILE between them:
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
# Of any other answer nothing is known beforehand: it may be right (tests/alternatives/) or hostile
# (differs.cmake in a folder of tests/hostile/). It has no STEP and no WORDS:
#
#   kit_answer(
#     NAME mutex-an-account
#     SENTENCE "Each account has a mutex; a transfer takes two at once."
#     FILE bank.hpp
#     REPLACE [[  std::mutex mutex_;]]
#     WITH [[  Locks locks_;]]
#     WHOLE bank.cpp)
#
# Where a whole function or more gives way, its beginning is enough: behind REPLACE may stand
#     THROUGH [[  }
# ]]
# and all from the one text to the next place of the other, both included, is replaced. (A wrong answer
# says all that it replaces: what is wrong is the difference.)
#
# A file of which little remains is given WHOLE: it stands in a folder beside the list, here in
# 06_shared_state/mutex-an-account/bank.cpp beside 06_shared_state.cmake.
#
# An answer that is another one but for a few lines says so: LIKE mutex-an-account, which stands before
# it in the list. What it replaces, it replaces there, and the rest it shares.
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

# Notes a mistake of the answer `name`. (A string, not a list: code has semicolons.)
function(mistake text)
  set_property(GLOBAL APPEND_STRING PROPERTY mistakes "${kind} ${name}: ${text}\n\n")
endfunction()

# Reads file_I, replace_I and with_I, for I from 1 to `edits`: replaces the texts, and writes the files.
# Adds the names of those to `files`.
function(edit)
  foreach(i RANGE 1 ${edits})
    set(file "${file_${i}}")
    if(NOT DEFINED with_${i})
      mistake("REPLACE number ${i} has no WITH")
      return()
    endif()
    if(NOT file IN_LIST files)
      set(folder "${SOLUTION}")
      if(file IN_LIST shared)
        set(folder "${OUT}/${given_LIKE}")
      endif()
      if("${file}" STREQUAL "" OR NOT EXISTS "${folder}/${file}")
        mistake("the solution has no file \"${file}\"")
        return()
      endif()
      file(READ "${folder}/${file}" text_of_${file})
      list(APPEND files "${file}")
    endif()
    set(text "${text_of_${file}}")
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
    if(DEFINED through_${i})
      math(EXPR end "${start} + ${length}")
      string(SUBSTRING "${text}" ${end} -1 rest)
      string(FIND "${rest}" "${through_${i}}" more)
      if(more EQUAL -1)
        mistake("behind REPLACE number ${i} this text does not stand in ${file}:\n${through_${i}}")
        return()
      endif()
      string(LENGTH "${through_${i}}" end_length)
      math(EXPR length "${length} + ${more} + ${end_length}")
    endif()
    math(EXPR end "${start} + ${length}")
    string(SUBSTRING "${text}" 0 ${start} before)
    string(SUBSTRING "${text}" ${start} ${length} replaced)
    string(SUBSTRING "${text}" ${end} -1 after)
    if(replaced STREQUAL "${with_${i}}")
      mistake("REPLACE number ${i} and its WITH are the same")
    endif()
    set(text_of_${file} "${before}${with_${i}}${after}")
  endforeach()
  foreach(file IN LISTS files)
    write_if_changed("${OUT}/${name}/${file}" "${text_of_${file}}")
  endforeach()
  set(files "${files}" PARENT_SCOPE)
endfunction()

# Copies the files of `whole`, and adds their names to `files`.
function(copy_whole)
  foreach(file IN LISTS whole)
    set(from "${beside}/${name}/${file}")
    set_property(GLOBAL APPEND PROPERTY copied "${name}/${file}")
    if(file IN_LIST files)
      mistake("${file} is given whole, and changed as well, or given twice")
      continue()
    elseif(NOT EXISTS "${from}")
      mistake("there is no ${from}")
      continue()
    endif()
    if(EXISTS "${SOLUTION}/${file}")
      file(READ "${from}" text)
      file(READ "${SOLUTION}/${file}" solutions)
      if(text STREQUAL solutions)
        mistake("${file} is the solution's")
      endif()
    endif()
    file(MAKE_DIRECTORY "${OUT}/${name}")
    file(COPY_FILE "${from}" "${OUT}/${name}/${file}" ONLY_IF_DIFFERENT)
    list(APPEND files "${file}")
  endforeach()
  set(files "${files}" PARENT_SCOPE)
endfunction()

# Both functions are one. Arguments are taken one by one from ARGV0, ARGV1, …: as a list, or handed on
# to another function, code would fall apart at its semicolons and lose its backslashes.
foreach(form IN ITEMS kit_mutant kit_answer)
function(${form})
  string(REPLACE "kit_" "" kind "${CMAKE_CURRENT_FUNCTION}")
  set(keywords NAME SENTENCE FILE REPLACE WITH WHOLE)
  if(kind STREQUAL "mutant")
    list(APPEND keywords STEP WORDS NOT_WORDS)
  else()
    list(APPEND keywords THROUGH LIKE)
  endif()
  set(name "(without a name)")
  set(keyword "")
  set(file "")
  set(files "")
  set(whole "")
  set(edits 0)
  set(said "")
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
      list(JOIN keywords ", " known)
      mistake("\"${value}\" follows no keyword (${known})")
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
    elseif(taken STREQUAL "THROUGH")
      set(through_${edits} "${value}")
    elseif(taken STREQUAL "WITH")
      set(with_${edits} "${value}")
    elseif(taken STREQUAL "WHOLE")
      list(APPEND whole "${value}")
    elseif(taken STREQUAL "WORDS")
      string(APPEND said "words\t${value}\n")
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
  set(shared "")
  if(DEFINED given_LIKE)
    if(NOT given_LIKE IN_LIST names)
      mistake("LIKE names no answer that stands before it: ${given_LIKE}")
      return()
    endif()
    set(shared "${files_of_${given_LIKE}}")
  endif()
  list(APPEND names "${name}")
  set(names "${names}" PARENT_SCOPE)
  if("${given_SENTENCE}" STREQUAL "")
    mistake("SENTENCE is missing: what is different, in one sentence")
  endif()
  set(about "sentence\t${given_SENTENCE}\n")
  if(kind STREQUAL "mutant")
    if(NOT given_STEP MATCHES "^[0-9][0-9]\\.[0-9]+$")
      mistake("STEP must name the step that catches it, such as 01.4")
    endif()
    if(said STREQUAL "")
      mistake("WORDS is missing: what the step's message must say")
    endif()
    string(APPEND about "step\t${given_STEP}\n${said}${unwanted}")
  endif()
  if(edits EQUAL 0 AND "${whole}" STREQUAL "")
    mistake("REPLACE and WITH are missing")
    return()
  endif()

  if(edits GREATER 0)
    edit()
  endif()
  copy_whole()
  list(REMOVE_ITEM shared ${files})
  foreach(file IN LISTS shared)
    file(COPY_FILE "${OUT}/${given_LIKE}/${file}" "${OUT}/${name}/${file}" ONLY_IF_DIFFERENT)
    list(APPEND files "${file}")
  endforeach()
  set(files_of_${name} "${files}" PARENT_SCOPE)
  foreach(file IN LISTS files)
    string(APPEND about "file\t${file}\n")
  endforeach()
  file(GLOB present RELATIVE "${OUT}/${name}" "${OUT}/${name}/*")
  foreach(old IN LISTS present)
    if(NOT old IN_LIST files AND NOT old STREQUAL "mutant.txt")
      file(REMOVE_RECURSE "${OUT}/${name}/${old}")
    endif()
  endforeach()
  write_if_changed("${OUT}/${name}/mutant.txt" "${about}")
endfunction()
endforeach()

string(REGEX REPLACE "\\.cmake$" "" beside "${LIST}")
include("${LIST}")

get_property(copied GLOBAL PROPERTY copied)
file(GLOB_RECURSE present RELATIVE "${beside}" "${beside}/*")
foreach(file IN LISTS present)
  if(NOT file IN_LIST copied)
    set_property(GLOBAL APPEND_STRING PROPERTY mistakes "no answer is given ${beside}/${file}\n\n")
  endif()
endforeach()

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
  message(FATAL_ERROR "The answers of ${LIST} cannot be made.")
endif()
