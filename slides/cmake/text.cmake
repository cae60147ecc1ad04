# Reading and writing text in CMake without its list rules getting in the way: a semicolon, a square
# bracket or a backslash in a file would otherwise split, join or swallow lines.

string(ASCII 1 _KIT_SEMICOLON)
string(ASCII 2 _KIT_OPEN)
string(ASCII 3 _KIT_CLOSE)
string(ASCII 4 _KIT_BACKSLASH)
string(ASCII 5 _KIT_HIDDEN)  # stands for a [ that begins no link

# Makes TEXT safe to be an item of a list.
function(kit_guard TEXT OUT)
  string(REPLACE "\\" "${_KIT_BACKSLASH}" TEXT "${TEXT}")
  string(REPLACE ";" "${_KIT_SEMICOLON}" TEXT "${TEXT}")
  string(REPLACE "[" "${_KIT_OPEN}" TEXT "${TEXT}")
  string(REPLACE "]" "${_KIT_CLOSE}" TEXT "${TEXT}")
  set(${OUT} "${TEXT}" PARENT_SCOPE)
endfunction()

# Undoes kit_guard().
function(kit_unguard TEXT OUT)
  string(REPLACE "${_KIT_OPEN}" "[" TEXT "${TEXT}")
  string(REPLACE "${_KIT_CLOSE}" "]" TEXT "${TEXT}")
  string(REPLACE "${_KIT_SEMICOLON}" ";" TEXT "${TEXT}")
  string(REPLACE "${_KIT_BACKSLASH}" "\\" TEXT "${TEXT}")
  set(${OUT} "${TEXT}" PARENT_SCOPE)
endfunction()

# The lines of FILE as a list of guarded items: for each, kit_unguard() first.
function(kit_read_lines FILE OUT)
  file(READ "${FILE}" text)
  kit_guard("${text}" text)
  string(REGEX REPLACE "\n$" "" text "${text}")
  string(REPLACE "\n" ";" text "${text}")
  set(${OUT} "${text}" PARENT_SCOPE)
endfunction()

# TEXT with the characters that HTML gives a meaning written as entities.
function(kit_html TEXT OUT)
  string(REPLACE "&" "&amp;" TEXT "${TEXT}")
  string(REPLACE "<" "&lt;" TEXT "${TEXT}")
  string(REPLACE ">" "&gt;" TEXT "${TEXT}")
  string(REPLACE "\"" "&quot;" TEXT "${TEXT}")
  string(REPLACE "*/" "*&#47;" TEXT "${TEXT}")  # to Doxygen it ends a comment
  set(${OUT} "${TEXT}" PARENT_SCOPE)
endfunction()

# The plain text of a piece of HTML: no tags, entities as characters, one space where there were many.
function(kit_plain HTML OUT)
  string(REGEX REPLACE "<[^>]*>" " " text "${HTML}")
  string(REPLACE "&lt;" "<" text "${text}")
  string(REPLACE "&gt;" ">" text "${text}")
  string(REPLACE "&quot;" "\"" text "${text}")
  string(REPLACE "&#39;" "'" text "${text}")
  string(REPLACE "&#47;" "/" text "${text}")
  string(REGEX REPLACE "&(#160|nbsp|zwj|#9670|#8203|zwnj);" " " text "${text}")
  string(REPLACE "&ndash;" "–" text "${text}")
  string(REPLACE "&mdash;" "—" text "${text}")
  string(REPLACE "&amp;" "&" text "${text}")
  string(REGEX REPLACE "[ \t\r\n]+" " " text "${text}")
  string(STRIP "${text}" text)
  set(${OUT} "${text}" PARENT_SCOPE)
endfunction()

# The path of FILE as a name in a page's address: lessons/01_tcp_echo/server.cpp -> lessons_01_tcp_echo_server_cpp
function(kit_page_name FILE OUT)
  string(REGEX REPLACE "[^A-Za-z0-9]" "_" name "${FILE}")
  set(${OUT} "${name}" PARENT_SCOPE)
endfunction()
