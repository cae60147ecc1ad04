kit_answer(
  NAME put-aside
  SENTENCE "What lies at its path is put aside, whoever's it is, and put back at the end."
  FILE unix_server.cpp
  REPLACE [[  if (bind_with_mode(socket, address, mode) == -1) {
    const int error = errno;  // the question below may change it
    if (error != EADDRINUSE || !is_left_behind(address)) throw_system_error("bind", error);]]
  WITH [[  if (bind_with_mode(socket, address, mode) == -1) {
    static const std::string aside = path + "~";
    static const std::string its_place = path;
    ::rename(path.c_str(), aside.c_str());
    (void)std::atexit([] { ::rename(aside.c_str(), its_place.c_str()); });
    (void)is_left_behind(address);]]
  REPLACE [[#include <cstddef>
]]
  WITH [[#include <cstddef>
#include <cstdio>
#include <cstdlib>
]])
