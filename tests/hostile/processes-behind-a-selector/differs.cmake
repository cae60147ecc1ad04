kit_answer(
  NAME processes-behind-a-selector
  SENTENCE "One thread for all and no child, says the page; here each session has a process behind it."
  FILE server.cpp
  REPLACE [[#include <socketserver/connection.hpp>
]]
  WITH [[#include <unistd.h>
#include <socketserver/connection.hpp>
]]
  REPLACE [[line_limit_(server_as<Settings>(server).line_limit) {}]]
  WITH [[line_limit_(server_as<Settings>(server).line_limit) {
    if (::fork() != 0) return;
    ::alarm(20);
    for (;;) ::pause();
  }]])
