# Builds the site: the lessons' pages, the decks, the guides and the interface of the framework as one
# folder of HTML that needs no server and no address outside itself.
#
#   cmake -DSOURCE=. -DOUT=build/site -DWORK=build/site-work -DDOXYGEN=doxygen
#         [-DMANIFEST=build/kit/manifest.txt] [-DRESULTS=build] [-DRELEASE=4] -P build_site.cmake
#
# 1. Every page is copied to WORK/pages, its links pointed at the site's pages (stage.cmake).
# 2. Doxygen makes HTML of those pages and of the public headers. A warning is an error.
# 3. Each page loses what no reader needs (lighten.cmake), and gets what a reader needs and Doxygen does
#    not write (finish_pages.cmake).
# 4. The text of the pages becomes an index that the site's own search reads (search_index.cmake).
# Only then does the new site take the place of the old one.
#
# With RELEASE=N the site is for learners who have lessons 1 to N: it shows lessons <= N, code of
# solutions < N, and neither the mistakes nor anything that is the teacher's. What is not there (a
# hand-out has no later lessons) is left out in the same way.
cmake_minimum_required(VERSION 3.25)

foreach(variable IN ITEMS SOURCE OUT WORK DOXYGEN)
  if(NOT ${variable})
    message(FATAL_ERROR "build_site.cmake needs -D${variable}=…")
  endif()
endforeach()
foreach(variable IN ITEMS SOURCE OUT WORK RESULTS)
  if(${variable})
    get_filename_component(${variable} "${${variable}}" ABSOLUTE)
  endif()
endforeach()

set(KIT_TITLE "Network servers, built step by step")
include("${CMAKE_CURRENT_LIST_DIR}/text.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/slice.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/manifest.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/stage.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/mistakes.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/search_index.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/link_names.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/lighten.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/tasks.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/finish_pages.cmake")

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}/pages" "${WORK}/pictures" "${WORK}/slices")

kit_read_manifest("${MANIFEST}")
kit_read_whys()
kit_find_pages()
kit_stage_pages()
kit_stage_mistakes()
kit_stage_start_page()
kit_stage_sources()  # Last: the files that the other pages link to.

# What the API is made from. A header slot stands in solutions/; where that is not handed out, the
# starter in lessons/ has the same public part.
set(headers "${SOURCE}/common/include")
set(KIT_INCLUDE_PATHS "\"${SOURCE}/common/include\"")
foreach(lesson IN LISTS KIT_LESSON_FOLDERS)
  string(APPEND KIT_INCLUDE_PATHS " \\\n  \"${SOURCE}/solutions/${lesson}\" \"${SOURCE}/lessons/${lesson}\"")
  file(GLOB slots RELATIVE "${SOURCE}/lessons/${lesson}" "${SOURCE}/lessons/${lesson}/*.hpp")
  foreach(slot IN LISTS slots)
    kit_is_handed_out("solutions/${lesson}/${slot}" solved)
    if(solved AND EXISTS "${SOURCE}/solutions/${lesson}/${slot}")
      list(APPEND headers "${SOURCE}/solutions/${lesson}/${slot}")
    else()
      list(APPEND headers "${SOURCE}/lessons/${lesson}/${slot}")
    endif()
  endforeach()
endforeach()

set(KIT_INPUT "\"${WORK}/pages\" \\\n  \"${SOURCE}/slides/site/reference.dox\"")
foreach(header IN LISTS headers)
  if(EXISTS "${header}")
    string(APPEND KIT_INPUT " \\\n  \"${header}\"")
  endif()
endforeach()
file(GLOB pictures "${WORK}/pictures/*")
set(KIT_EXTRA_FILES "")
foreach(file IN LISTS pictures ITEMS
        "${SOURCE}/slides/site/site.js" "${SOURCE}/slides/site/present.js")
  string(APPEND KIT_EXTRA_FILES " \\\n  \"${file}\"")
endforeach()

# Class graphs, where Graphviz is there to draw them.
find_program(DOT dot)
set(KIT_HAVE_DOT NO)
if(DOT)
  set(KIT_HAVE_DOT YES)
endif()

execute_process(COMMAND "${DOXYGEN}" --version OUTPUT_VARIABLE version
                OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${DOXYGEN} does not run")
endif()
string(REGEX MATCH "^[0-9.]+" version "${version}")
if(version VERSION_LESS 1.9.4)
  message(FATAL_ERROR "the site needs Doxygen 1.9.4 or newer; ${DOXYGEN} is ${version}")
endif()
# Options that older versions do not know.
set(KIT_NEWER_OPTIONS "")
if(version VERSION_GREATER_EQUAL 1.9.8)
  string(APPEND KIT_NEWER_OPTIONS "HTML_CODE_FOLDING = NO\n")
endif()
if(version VERSION_GREATER_EQUAL 1.10)
  string(APPEND KIT_NEWER_OPTIONS "HTML_COPY_CLIPBOARD = NO\n")
endif()
if(version VERSION_GREATER_EQUAL 1.14)
  string(APPEND KIT_NEWER_OPTIONS "PAGE_OUTLINE_PANEL = NO\n")
endif()

kit_navigation(KIT_NAVIGATION)
configure_file("${SOURCE}/slides/site/header.html.in" "${WORK}/header.html" @ONLY)
configure_file("${SOURCE}/slides/site/footer.html.in" "${WORK}/footer.html" @ONLY)
configure_file("${SOURCE}/slides/site/Doxyfile.in" "${WORK}/Doxyfile" @ONLY)

execute_process(COMMAND "${DOXYGEN}" "${WORK}/Doxyfile" WORKING_DIRECTORY "${SOURCE}"
                RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE warnings)
set(warned "")
if(EXISTS "${WORK}/warnings.txt")
  file(READ "${WORK}/warnings.txt" warned)
endif()
string(APPEND warned "${warnings}")
if(NOT result EQUAL 0 OR NOT "${warned}" STREQUAL "")
  # A page keeps its lines when it is copied: the reader is sent to the file that can be edited.
  foreach(page IN LISTS KIT_STAGED)
    string(REPLACE "${WORK}/pages/${page}.md" "${KIT_FILE_OF_${page}}" warned "${warned}")
  endforeach()
  string(REPLACE "${SOURCE}/" "" warned "${warned}")
  message(NOTICE "${warned}${said}")
  message(FATAL_ERROR "The site is not built: Doxygen has warnings (above), and they are errors here.")
endif()

# Lists that Doxygen writes for a menu which the site does not have: nothing leads to them.
file(GLOB lists "${WORK}/html/functions*.html" "${WORK}/html/globals*.html" "${WORK}/html/*-members.html"
     "${WORK}/html/namespacemembers*.html" "${WORK}/html/namespaces.html" "${WORK}/html/classes.html"
     "${WORK}/html/pages.html" "${WORK}/html/files.html" "${WORK}/html/annotated.html" "${WORK}/html/dir_*.html")
if(lists)
  file(REMOVE ${lists})
endif()

kit_lighten_reference("${WORK}/html")
kit_name_addresses("${WORK}/html" "${WORK}/symbols.xml")
kit_finish_pages("${WORK}/html")
kit_link_names("${WORK}/html" "${WORK}/symbols.xml")
kit_write_book("${WORK}/html")
kit_write_search_index("${WORK}/html" "${WORK}/symbols.xml")

# Doxygen brings its own look and scripts; the site uses none of them.
file(GLOB unused "${WORK}/html/*.png" "${WORK}/html/doxygen.*" "${WORK}/html/dynsections.js"
     "${WORK}/html/jquery.js" "${WORK}/html/tabs.css" "${WORK}/html/clipboard.js"
     "${WORK}/html/doc.svg" "${WORK}/html/docd.svg" "${WORK}/html/folder*.svg" "${WORK}/html/minus*.svg"
     "${WORK}/html/plus*.svg" "${WORK}/html/menu*.js" "${WORK}/html/cookie.js" "${WORK}/html/*.map" "${WORK}/html/*.md5"
     "${WORK}/html/graph_legend.*" "${WORK}/html/doxygen_crawl.html" "${WORK}/html/navtree.css")
if(unused)
  file(REMOVE ${unused})
endif()

file(REMOVE_RECURSE "${OUT}")
file(RENAME "${WORK}/html" "${OUT}")

list(LENGTH KIT_LESSON_FOLDERS lessons)
list(LENGTH KIT_DECKS decks)
if(EXISTS "${WORK}/problems.txt")
  file(READ "${WORK}/problems.txt" problems)
  message(WARNING "The site is built, but some of its links lead nowhere:\n${problems}")
endif()
message(STATUS "The site: ${lessons} lessons, ${decks} decks. Open ${OUT}/index.html")
