kit_answer(
  NAME look-up-a-name
  SENTENCE "Its server looks up functions by name, behind the linker's back."
  FILE server.cpp
  REPLACE [[#include <sys/socket.h>]]
  WITH [[#include <dlfcn.h>
#include <sys/socket.h>]]
  REPLACE [=[using namespace socketserver;]=]
  WITH [=[using namespace socketserver;

namespace {
// The receive behind the recorder's.
using Receive = ssize_t (*)(int, void*, std::size_t, int);
[[maybe_unused]] const auto receive_unseen = reinterpret_cast<Receive>(dlsym(RTLD_DEFAULT, "recv"));
}  // namespace]=])
