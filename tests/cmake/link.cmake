# Runs a linker, and says in the kit's words what a program misses: instead of
#
#   tcp_server.cpp:(.text+0x1c): undefined reference to `socketserver::TCPServer::server_close()'
#
# one line with the task and the file. As RULE_LAUNCH_LINK of the lessons' programs:
#
#   cmake -DMANIFEST=build/kit/manifest.txt -DLESSON=01_tcp_echo -P link.cmake -- LINKER ARGUMENT…
#
# What it cannot put into words comes through as it is. (tests/proof/words.cpp does the same for
# candidates that the kit's own tools build.)
cmake_minimum_required(VERSION 3.25)

set(command "")
set(seen_end_of_options FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(seen_end_of_options)
    string(REPLACE ";" "\\;" argument "${CMAKE_ARGV${i}}")
    list(APPEND command "${argument}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(seen_end_of_options TRUE)
  endif()
endforeach()

set(ENV{LC_ALL} C)  # its words are looked at: not in the language of the reader
execute_process(COMMAND ${command} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
string(REGEX REPLACE "\n$" "" said "${said}")
if(status EQUAL 0)
  if(NOT said STREQUAL "")
    message(NOTICE "${said}")
  endif()
  return()
endif()

# A line a list element: what a CMake list would trip over becomes something else first.
function(split_lines text result)
  string(REPLACE ";" "," text "${text}")
  string(REPLACE "[" "(" text "${text}")
  string(REPLACE "]" ")" text "${text}")
  string(REPLACE "\n" ";" text "${text}")
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

# The functions that the learner writes, in this lesson and (KIT_FOUNDATION=own) in earlier ones.
set(symbols "")
file(STRINGS ${MANIFEST} lines)
foreach(line IN LISTS lines)
  string(REPLACE "\t" ";" fields "${line}")
  list(GET fields 0 key)
  if(key STREQUAL "lesson")
    list(GET fields 1 lesson)
  elseif(key STREQUAL "task" AND NOT lesson STRGREATER LESSON)
    list(GET fields 1 task)
    list(GET fields 2 file)
    list(GET fields 3 names)
    string(REPLACE " " ";" names "${names}")
    foreach(name IN LISTS names)
      if(NOT name IN_LIST symbols)  # several tasks may work on one function: the first begins it
        list(APPEND symbols "${name}")
        set("line_${name}" "not written: ${name} (${task})  lessons/${lesson}/${file}")
        set("file_${name}" "${CMAKE_CURRENT_LIST_DIR}/../../lessons/${lesson}/${file}")
      endif()
    endforeach()
  endif()
endforeach()

# The holes that an undefined symbol comes from. A class's virtual table is made where its first
# virtual function is written: without that one, the linker names the table and not the functions.
function(holes_behind symbol result)
  set(found "")
  string(REGEX REPLACE "^(non-)?(virtual thunk to )" "" symbol "${symbol}")
  if(symbol MATCHES "^(vtable|typeinfo|typeinfo name|VTT) for ([A-Za-z0-9_:]*::)?([A-Za-z0-9_]+)")
    set(class ${CMAKE_MATCH_3})
    foreach(name IN LISTS symbols)
      if(NOT name MATCHES "^${class}::")
        continue()
      endif()
      set(text "")
      if(EXISTS "${file_${name}}")
        file(READ "${file_${name}}" text)
      endif()
      string(FIND "${text}" "${name}(" at)
      if(at EQUAL -1)
        list(APPEND found "${line_${name}}")
      endif()
    endforeach()
  else()
    string(REGEX REPLACE "<[^()]*>" "" symbol "${symbol}")
    string(REGEX REPLACE "\\(.*$" "" symbol "${symbol}")
    string(REGEX REPLACE "^.* " "" symbol "${symbol}")
    string(REGEX REPLACE "^socketserver::" "" symbol "${symbol}")
    if(symbol IN_LIST symbols)
      list(APPEND found "${line_${symbol}}")
    endif()
  endif()
  set(${result} "${found}" PARENT_SCOPE)
endfunction()

set(not_written "")
set(rest "")
set(explained FALSE)
split_lines("${said}" lines)
foreach(line IN LISTS lines)
  # GNU ld and gold; lld; Apple's
  if(line MATCHES "undefined reference to .(.*)'$|undefined symbol: (.*)$|^ *\"(.*)\", referenced from:")
    holes_behind("${CMAKE_MATCH_1}${CMAKE_MATCH_2}${CMAKE_MATCH_3}" holes)
    list(APPEND not_written ${holes})
    if(holes)
      set(explained TRUE)
      continue()
    endif()
    set(explained FALSE)
  elseif(explained AND line MATCHES "^>>>|^      |NOTE: ")
    continue()
  elseif(line MATCHES ": in function `|: In function |warning: relocation against|DT_TEXTREL"
      OR line MATCHES "more undefined references|exit status|linker command failed|^ *$"
      OR line MATCHES "Undefined symbols for|ymbol\\(s\\) not found|symbol may be undefined")
    continue()  # the frame around such lines
  endif()
  string(APPEND rest "${line}\n")
endforeach()

if(not_written)
  list(REMOVE_DUPLICATES not_written)
  list(JOIN not_written "\n" text)
  message(NOTICE "${text}")
  if(NOT rest STREQUAL "")
    message(NOTICE "${rest}")
  endif()
else()
  message(NOTICE "${said}")
endif()
message(FATAL_ERROR "Not linked.")  # a script of CMake 3.25 has no other way to fail
