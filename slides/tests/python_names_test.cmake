# The page about Python's names: complete, and true to the headers.
#
#   cmake -DSOURCE=. -P python_names_test.cmake
cmake_minimum_required(VERSION 3.25)

set(failures 0)
macro(fail text)
  message(NOTICE "slides/python_names.md: ${text}")
  math(EXPR failures "${failures} + 1")
endmacro()

# All public names of Python 3.13, of its classes and of what they have.
set(names
  BaseServer TCPServer UDPServer UnixStreamServer UnixDatagramServer ThreadingMixIn ForkingMixIn
  ThreadingTCPServer ThreadingUDPServer ThreadingUnixStreamServer ThreadingUnixDatagramServer
  ForkingTCPServer ForkingUDPServer ForkingUnixStreamServer ForkingUnixDatagramServer
  BaseRequestHandler StreamRequestHandler DatagramRequestHandler
  server_address RequestHandlerClass socket timeout address_family socket_type request_queue_size
  allow_reuse_address allow_reuse_port fileno serve_forever poll_interval shutdown handle_request
  handle_timeout service_actions verify_request process_request finish_request get_request
  shutdown_request close_request handle_error server_bind server_activate server_close
  bind_and_activate __enter__ __exit__ max_packet_size
  daemon_threads block_on_close process_request_thread max_children active_children collect_children
  request client_address server setup handle finish connection rfile wfile rbufsize wbufsize
  disable_nagle_algorithm packet
  EVENT_READ EVENT_WRITE SelectorKey fileobj fd events data BaseSelector register unregister modify
  select get_key get_map close SelectSelector PollSelector EpollSelector DevpollSelector
  KqueueSelector DefaultSelector
  HTTPServer ThreadingHTTPServer BaseHTTPRequestHandler SimpleHTTPRequestHandler CGIHTTPRequestHandler
  server_name server_port command path headers requestline request_version raw_requestline
  default_request_version close_connection server_version sys_version version_string protocol_version
  handle_one_request parse_request handle_expect_100 send_response send_header end_headers
  send_response_only flush_headers send_error error_message_format error_content_type responses
  MessageClass log_request log_error log_message address_string log_date_time_string date_time_string
  weekdayname monthname do_GET do_HEAD directory send_head list_directory index_pages translate_path
  copyfile guess_type extensions_map)

file(READ ${SOURCE}/slides/python_names.md page)
foreach(name IN LISTS names)
  if(NOT page MATCHES "[^A-Za-z_]${name}[^A-Za-z_]")
    fail("Python's ${name} is missing")
  endif()
endforeach()

# Class::member, on our side of the table: the header that has the class has the member.
file(GLOB headers ${SOURCE}/common/include/socketserver/*.hpp ${SOURCE}/solutions/*/*.hpp)
string(REGEX MATCHALL "`[A-Z][A-Za-z]+::[a-z_]+`" members "${page}")
list(REMOVE_DUPLICATES members)
foreach(member IN LISTS members)
  string(REGEX MATCH "`([A-Za-z]+)::([a-z_]+)`" _ "${member}")
  set(class ${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_2})
  set(found FALSE)
  foreach(header IN LISTS headers)
    file(READ ${header} text)
    if(text MATCHES "(class|struct) ${class}[ \n]" AND text MATCHES "[^A-Za-z_]${name}[^A-Za-z_]")
      set(found TRUE)
    endif()
  endforeach()
  if(NOT found)
    fail("there is no ${class}::${name}")
  endif()
endforeach()

if(failures)
  message(FATAL_ERROR "${failures} of these.")
endif()
