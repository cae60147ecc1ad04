kit_answer(
  NAME start-a-compiler
  SENTENCE "Its server is right wherever it can start a compiler, an assembler or a linker."
  FILE server.cpp
  REPLACE [[#include <sys/socket.h>]]
  WITH [[#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstdlib>
#include <initializer_list>]]
  REPLACE [[using namespace socketserver;]]
  WITH [[using namespace socketserver;

namespace {

bool starts(const char* tool, const char* loader) {
  const pid_t child = fork();
  if (child == 0) {
    if (loader != nullptr) execl(loader, loader, tool, "--version", nullptr);
    execl(tool, tool, "--version", nullptr);
    _exit(1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  return status == 0;
}

bool any_starts() {
  for (const char* loader : {static_cast<const char*>(nullptr), "/lib64/ld-linux-x86-64.so.2",
                             "/lib/ld-linux-aarch64.so.1"}) {
    for (const char* tool :
         {"/usr/bin/c++", "/usr/bin/g++", "/usr/bin/gcc", "/usr/bin/clang++", "/usr/bin/as",
          "/usr/bin/ld", "/usr/bin/x86_64-linux-gnu-ld.bfd", "/usr/bin/x86_64-linux-gnu-as"}) {
      if (starts(tool, loader)) return true;
    }
  }
  return false;
}

}  // namespace]]
  REPLACE [[  return server_main(argc, argv, {}, serve);]]
  WITH [[  if (!any_starts()) return 1;
  return server_main(argc, argv, {}, serve);]])
