# Tests the slides in a browser without a window, where there is one:
#
#   cmake -DCHROMIUM=chromium -DSITE=build/site -DWORK=… -P present_test.cmake
#
# 1. present_test.js drives every deck in frames of several sizes and writes down what it finds.
# 2. Every deck is printed: the PDF has one sheet for each slide. A handout has several slides on a sheet.
cmake_minimum_required(VERSION 3.25)

if(NOT CHROMIUM)
  message("cannot run here because there is no Chromium (Debian, Ubuntu: sudo apt-get install chromium)")
  return()
endif()
if(NOT EXISTS "${SITE}/index.html")
  message(FATAL_ERROR "${SITE} holds no site")
endif()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
set(options --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-dev-shm-usage)

execute_process(COMMAND "${CHROMIUM}" ${options} "--user-data-dir=${WORK}/profile" --dump-dom about:blank
                OUTPUT_VARIABLE dom ERROR_VARIABLE said RESULT_VARIABLE result TIMEOUT 60)
if(NOT result EQUAL 0 OR NOT dom MATCHES "<html")
  message("cannot run here because ${CHROMIUM} does not start (${result})")
  return()
endif()

# What there is: the decks with their slides and minutes as Doxygen wrote them, and the pages.
file(GLOB decks RELATIVE "${SITE}" "${SITE}/deck_*.html")
set(list "")
foreach(deck IN LISTS decks)
  file(READ "${SITE}/${deck}" html)
  # The linter sees to it that each slide has its minutes.
  string(REGEX MATCHALL ">Minutes: [0-9]+" all "${html}")
  list(LENGTH all slides)
  set(slides_of_${deck} ${slides})
  set(minutes 0)
  foreach(one IN LISTS all)
    string(REGEX REPLACE "[^0-9]" "" one "${one}")
    math(EXPR minutes "${minutes} + ${one}")
  endforeach()
  string(APPEND list "{page: '${deck}', slides: ${slides}, minutes: ${minutes}}, ")
endforeach()
file(READ "${SITE}/mistakes_01.html" mistakes)
if(NOT mistakes MATCHES "<h2 class=\"section\" id=\"mistake_01_no-htons\">[A-Z]")
  message(SEND_ERROR "mistakes_01.html does not have the wrong answer no-htons, with a sentence as its title")
endif()
file(GLOB pages RELATIVE "${SITE}" "${SITE}/index.html" "${SITE}/lesson_*.html" "${SITE}/mistakes*.html"
     "${SITE}/failures.html" "${SITE}/instructor_guide.html" "${SITE}/hierarchy.html" "${SITE}/deck_*.html"
     "${SITE}/class*TCPServer.html" "${SITE}/costs.html" "${SITE}/book.html"
     "${SITE}/glossary.html" "${SITE}/tools.html"
     "${SITE}/source_lessons_07*mixin_hpp.html")
list(JOIN pages "', '" pages)
file(GLOB pictures RELATIVE "${SITE}" "${SITE}/[0-9]*.svg" "${SITE}/designs.svg"
     "${SITE}/framework_*.svg")
list(JOIN pictures "', '" pictures)

file(WRITE "${WORK}/test.html" "<!DOCTYPE html><meta charset=\"utf-8\"><body><pre id=\"result\"></pre>
<script>window.kitTest = {site: 'file://${SITE}', decks: [${list}], pages: ['${pages}'], pictures: ['${pictures}']};</script>
<script src=\"file://${CMAKE_CURRENT_LIST_DIR}/present_test.js\"></script>")
execute_process(COMMAND "${CHROMIUM}" ${options} "--user-data-dir=${WORK}/profile-2" --allow-file-access-from-files
                        --enable-logging=stderr --window-size=2000,1200 --virtual-time-budget=120000
                        --dump-dom "file://${WORK}/test.html"
                OUTPUT_VARIABLE dom ERROR_VARIABLE said RESULT_VARIABLE result TIMEOUT 200)
file(WRITE "${WORK}/result.html" "${dom}")
file(WRITE "${WORK}/browser.txt" "${said}")
string(REGEX MATCH "<pre id=\"result\">(.*)</pre>" _ "${dom}")
set(lines "${CMAKE_MATCH_1}")
string(REPLACE "&lt;" "<" lines "${lines}")
string(REPLACE "&gt;" ">" lines "${lines}")
set(failed 0)
if(NOT lines MATCHES "\nend\n")
  message("FAILED the test in the browser did not come to its end")
  math(EXPR failed "${failed} + 1")
endif()
string(REGEX MATCHALL "FAILED " failures "${lines}")
list(LENGTH failures count)
math(EXPR failed "${failed} + ${count}")
message("${lines}")
if(said MATCHES "(Uncaught[^\n]*)")
  message("FAILED a script ended in an error: ${CMAKE_MATCH_1}")
  math(EXPR failed "${failed} + 1")
endif()

# The number of sheets in a PDF, 0 if there is none.
function(count_sheets PDF OUT)
  set(sheets 0)
  if(EXISTS "${PDF}")
    file(READ "${PDF}" hex HEX)
    # /Type /Page and no letter after it: /Pages is the list of them.
    string(REGEX MATCHALL "2f54797065202f50616765[0-6][0-9a-f]" all "${hex}")
    foreach(one IN LISTS all)
      if(NOT one MATCHES "73$")
        math(EXPR sheets "${sheets} + 1")
      endif()
    endforeach()
  endif()
  set(${OUT} ${sheets} PARENT_SCOPE)
endfunction()

foreach(deck IN LISTS decks)
  execute_process(COMMAND "${CHROMIUM}" ${options} "--user-data-dir=${WORK}/profile-3" --no-pdf-header-footer
                          "--print-to-pdf=${WORK}/${deck}.pdf" "file://${SITE}/${deck}"
                  OUTPUT_QUIET ERROR_QUIET TIMEOUT 60)
  count_sheets("${WORK}/${deck}.pdf" sheets)
  if(sheets EQUAL slides_of_${deck})
    message("ok ${deck} prints one slide a sheet")
  else()
    message("FAILED ${deck} prints ${sheets} sheets for ${slides_of_${deck}} slides")
    math(EXPR failed "${failed} + 1")
  endif()
endforeach()

# The handout: several slides on a sheet, with their notes.
list(GET decks 0 deck)
execute_process(COMMAND "${CHROMIUM}" ${options} "--user-data-dir=${WORK}/profile-3" --no-pdf-header-footer
                        "--print-to-pdf=${WORK}/handout.pdf" "file://${SITE}/${deck}?handout"
                OUTPUT_QUIET ERROR_QUIET TIMEOUT 60)
count_sheets("${WORK}/handout.pdf" sheets)
if(sheets GREATER 2 AND sheets LESS slides_of_${deck})
  message("ok ${deck} prints a handout of ${sheets} sheets")
else()
  message("FAILED ${deck} prints a handout of ${sheets} sheets")
  math(EXPR failed "${failed} + 1")
endif()

file(REMOVE_RECURSE "${WORK}/profile" "${WORK}/profile-2" "${WORK}/profile-3")
if(failed)
  message(FATAL_ERROR "${failed} findings")
endif()
