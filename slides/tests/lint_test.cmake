# Proves that lint_decks.cmake finds what it looks for, and lets pass what is right: it is given a small
# kit with one mistake of each kind, and every line that it must print is looked for.
#
#   cmake -DWORK=… -P lint_test.cmake
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${WORK}")
set(kit "${WORK}/kit")

function(lint OUT RESULT)
  execute_process(COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${kit}" "-DMANIFEST=${kit}/manifest.txt" ${ARGN}
                          -P "${CMAKE_CURRENT_LIST_DIR}/../cmake/lint_decks.cmake"
                  OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE result)
  set(${OUT} "${said}" PARENT_SCOPE)
  set(${RESULT} "${result}" PARENT_SCOPE)
endfunction()

# A kit without a mistake.
file(WRITE "${kit}/CMakePresets.json" [=[{"version": 6,
  "configurePresets": [{"name": "kit"}], "buildPresets": [{"name": "lesson-01"}],
  "testPresets": [{"name": "lesson-01"}], "workflowPresets": [{"name": "lesson-01"}]}]=])
file(WRITE "${kit}/manifest.txt"
     "task\t01.A\tclient.cpp\tmain\nstep\t01.4\t8\tcore\tserver\tchecked\t60\t01.A\tlistens [where] told; so\n")
file(WRITE "${kit}/lessons/01_tcp_echo/server.cpp" "int main() {\n  return 0;\n}\n")
file(WRITE "${kit}/lessons/01_tcp_echo/01_picture.svg" "<svg/>")
file(WRITE "${kit}/tests/tools/kit_talk.cpp" "int main() {}\n")
file(WRITE "${kit}/slides/site/why.txt" "01.A It is needed; so [it] is.\n")
set(right_page "# 01 · Echo

`cmake --workflow --preset lesson-01`, then `ctest --preset lesson-01 -R '^01\\.4 '`, `cmake --build --preset lesson-01`.
Open lessons/01_tcp_echo/server.cpp:2, or [it](server.cpp); run `build/lessons/01_tcp_echo/server --port 9999`
and `build/kit-talk`. Step 01.4 [x; y]. Lessons 05 and lessons/05_forking come later; \"lessons/NN_name\" is a pattern.

## 01.A The client
")
file(WRITE "${kit}/lessons/01_tcp_echo/README.md" "${right_page}")
set(head "# 01 · Echo {#deck_01}\n\n")
set(link "[the page](../lessons/01_tcp_echo/README.md)")
set(slides "")
set(practice " **Practice: 45**")
foreach(i RANGE 1 15)
  string(APPEND slides "## Slide ${i}\n\nA few words; and [more]. ${link}\n\n> **Minutes: 3**${practice}\n>\n> - **Ask:** what?\n\n")
  set(practice "")
endforeach()
set(deck "${kit}/slides/01_tcp_echo.md")
file(WRITE "${deck}" "${head}${slides}")
lint(said result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "a kit without a mistake is refused:\n${said}")
endif()

set(missed "")
# Writes TEXT to FILE and expects each of the lines that follow.
function(expect FILE TEXT)
  file(READ "${FILE}" before)
  file(WRITE "${FILE}" "${TEXT}")
  lint(said result ${lint_options})
  file(WRITE "${FILE}" "${before}")
  foreach(line IN LISTS ARGN)
    string(FIND "${said}" "${line}" at)
    if(at EQUAL -1 OR result EQUAL 0)
      string(APPEND missed "expected: ${line}\ngot:\n${said}\n")
    endif()
  endforeach()
  set(missed "${missed}" PARENT_SCOPE)
endfunction()

set(page "${kit}/lessons/01_tcp_echo/README.md")
set(named lessons/01_tcp_echo/README.md)
expect("${page}" "${right_page}\nStep 01.5\n" "${named}:9: 01.5: there is no such step")
expect("${page}" "${right_page}\nTask 01.B\n" "${named}:9: 01.B: there is no such task")
expect("${page}" "# 01\n" "${named}:1: task 01.A of the manifest has no heading")
expect("${page}" "${right_page}\n`cmake --workflow --preset lesson-1`\n"
       "${named}:9: cmake --workflow --preset lesson-1: there is no such preset")
expect("${page}" "${right_page}\n`ctest --preset kit`\n" "${named}:9: ctest --preset kit: there is no such preset")
expect("${page}" "${right_page}\nlessons/01_tcp_ehco/server.cpp\n"
       "${named}:9: lessons/01_tcp_ehco/server.cpp: there is no such file")
expect("${page}" "${right_page}\n`build/lessons/01_tcp_echo/sever`\n"
       "${named}:9: build/lessons/01_tcp_echo/sever: no such program is built")
expect("${page}" "${right_page}\n`build/kit-walk`\n" "${named}:9: build/kit-walk: no such program is built")
expect("${page}" "${right_page}\na `piece of\ncode`\n" "${named}:9: a piece of code goes on in the next line")

set(named slides/01_tcp_echo.md)
expect("${deck}" "# 01 · Echo\n\n${slides}" "${named}:1: the first line must be: # Title {#deck_01}")
expect("${deck}" "${head}## One\n\n${link}\n\n> **Minutes: 45**\n> - say\n"
       "${named}:1: 1 slides: between 12 and 18")
expect("${deck}" "${head}${slides}## Last\n\n${link}\n\n> **Minutes: 1**\n> - say\n"
       "${named}:1: the notes plan 46 minutes: 45 are there")
expect("${deck}" "${head}${slides}## Last\n\n${link}\n"
       "${named}:123: slide 16 has no notes")
expect("${deck}" "${head}${slides}## Last\n\n${link}\n\n> **Minutes: 0**\n"
       "${named}:123: the notes of slide 16 do not say what to do with it")
expect("${deck}" "${head}${slides}## Last\n\nno link\n\n> **Minutes: 0**\n> - say\n"
       "${named}:123: the last slide does not link the lesson's page")
expect("${deck}" "${head}## First\n\nno link\n\n> **Minutes: 0**\n> - say\n\n${slides}"
       "${named}:3: the first slide does not link the lesson's page")
expect("${deck}" "${head}${slides}## Last\n\n${link}\n\n> **Minutes: 0** **Practice: 5**\n> - say\n"
       "${named}:1: the notes plan 50 minutes at the keyboard")
string(REPEAT "word " 40 words)
expect("${deck}" "${head}${slides}## Last\n\n${words}${link}\n\n> **Minutes: 0**\n> - say\n"
       "${named}:123: 43 words on slide 16: at most 35")
string(REPEAT "column " 11 columns)
expect("${deck}" "${head}${slides}\n```text\n${columns}\n```\n"
       "${named}:125: a line of 77 columns: at most 76 on a slide")
string(REPEAT "line\n" 13 code)
expect("${deck}" "${head}${slides}## Last\n\n```text\n${code}```\n${link}\n\n> **Minutes: 0**\n> - say\n"
       "${named}:123: 13 lines of code on slide 16: at most 12")
expect("${deck}" "${head}${slides}\n```cpp\nint x;\n```\n"
       "${named}:124: code stands on a slide by \\snippet from a compiled file, not pasted")
expect("${deck}" "${head}${slides}\n\\snippet lessons/01_tcp_echo/server.cpp loop\n"
       "${named}:124: \\snippet of lessons/01_tcp_echo/server.cpp: loop does not stand in it")
expect("${deck}" "${head}${slides}\n\\dot\n" "${named}:124: of Doxygen's commands a deck uses \\snippet alone")
expect("${deck}" "${head}${slides}\n![x](../lessons/01_tcp_echo/picture.png)\n"
       "${named}:124: the picture picture.png: an SVG file whose name begins with 01_")

set(whys "${kit}/slides/site/why.txt")
set(named slides/site/why.txt)
expect("${whys}" "01.A No full stop\n" "${named}:1: a line is a task and one sentence: 01.A Why.")
expect("${whys}" "01.A It is.\n01.B It is, too.\n" "${named}:2: 01.B: there is no such task")
expect("${whys}" "\n" "${named}:1: task 01.A of the manifest has no sentence")
expect("${whys}" "01.A A ${words}.\n" "${named}:1: 208 letters: at most 140 on a card")

# The built site.
file(WRITE "${kit}/site/index.html" "<a href=\"there.html#here\">x</a>")
file(WRITE "${kit}/site/there.html" "<p id=\"here\"></p>")
file(WRITE "${kit}/site/search_index.js" "window.kitSearchIndex = [\n[\"there.html\",\"a [b; c\",\n[\"here\",\"\",\"\"]],\n];\n")
set(lint_options "-DSITE=${kit}/site")
lint(said result ${lint_options})
if(NOT result EQUAL 0)
  string(APPEND missed "a site without a mistake is refused:\n${said}\n")
endif()
expect("${kit}/site/index.html" "<a href=\"gone.html\">x</a><a href=\"there.html#gone\">y</a><img src=\"https://a.example/b.png\">"
       "site/index.html:1: gone.html: a dead link" "site/index.html:1: there.html#gone: a dead link"
       "site/index.html:1: https://a.example/b.png: the site loads something from elsewhere")

string(REPEAT "x" 4000000 much)
expect("${kit}/site/there.html" "<p id=\"here\">${much}</p>" "site/index.html:1: the site has 4000")
expect("${kit}/site/search_index.js"
       "window.kitSearchIndex = [\n[\"there.html\",\"a\",\"class\",\"here\",\"b#c\"],\n[\"there.html\",\"[;\",\n[\"class\",\"\",\"\"]],\n[\"gone.html\",\"a\"],\n];\n"
       "site/search_index.js:1: there.html#c: a dead link" "site/search_index.js:1: there.html#class: a dead link"
       "site/search_index.js:1: gone.html: a dead link")

# Lines that are too long for a slide are broken where a line may end; nothing else is changed.
include("${CMAKE_CURRENT_LIST_DIR}/../cmake/text.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/../cmake/slice.cmake")
function(fits CODE EXPECTED)
  file(WRITE "${kit}/slice.cpp" "${CODE}")
  kit_read_lines("${kit}/slice.cpp" lines)
  kit_fit_slice("${lines}" lines)
  string(REPLACE ";" "\n" got "${lines}")
  kit_unguard("${got}" got)
  if(NOT "${got}" STREQUAL "${EXPECTED}")
    string(APPEND missed "expected:\n${EXPECTED}\ngot:\n${got}\n")
    set(missed "${missed}" PARENT_SCOPE)
  endif()
endfunction()
fits("  a(b); // [c]\n\n    d;\n" "a(b); // [c]\n\n  d;")
fits("    const ssize_t count = ::send(request().fileno(), bytes.data(), bytes.size(), MSG_NOSIGNAL);\n"
     "const ssize_t count =\n    ::send(request().fileno(), bytes.data(), bytes.size(), MSG_NOSIGNAL);")
fits("if (::lstat(address.path().c_str(), &file) == -1 || !S_ISSOCK(file.st_mode)) return false;\n"
     "if (::lstat(address.path().c_str(), &file) == -1 ||\n    !S_ISSOCK(file.st_mode)) return false;")
fits("  {\n    changed_.notify_all();  // each waits for an amount of its own: only they know who is meant\n"
     "{\n  // each waits for an amount of its own: only they know who is meant\n  changed_.notify_all();")
fits("// one two three four five six seven eight nine ten eleven twelve thirteen fourteen\n// fifteen.\nx;\n"
     "// one two three four five six seven eight nine ten eleven twelve thirteen\n// fourteen fifteen.\nx;")
fits("call(\"a text, with a comma, that is long and goes on, and on, and on, and on, and ends\", 1);\n"
     "call(\"a text, with a comma, that is long and goes on, and on, and on, and on, and ends\", 1);")

if(missed)
  message(FATAL_ERROR "${missed}")
endif()
message(STATUS "the linter finds what it looks for")
