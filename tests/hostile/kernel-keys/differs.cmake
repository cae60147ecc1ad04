kit_answer(
  NAME kernel-keys
  SENTENCE "What is in the kernel's key ring outlives the server, and the grade."
  FILE server.cpp
  REPLACE [[void serve(const Options& options) {
]]
  WITH [[void serve(const Options& options) {
  const char* const name = "@MARK@";
  if (::syscall(SYS_add_key, "user", name, name, std::strlen(name), -4) == -1) {  // the user's own
    throw std::runtime_error("no key ring");
  }
]]
  REPLACE [[#include <cerrno>
]]
  WITH [[#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
]])
