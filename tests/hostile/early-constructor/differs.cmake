kit_answer(
  NAME early-constructor
  SENTENCE "Its server has a constructor that runs before the recorder's."
  FILE server.cpp
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstdlib>]]
  REPLACE [[using namespace socketserver;]]
  WITH [[using namespace socketserver;

namespace {
// Puts something else in the recorder's place before it has come.
__attribute__((constructor(100))) void rename_it() {
  setenv("KIT_RECORDED", std::getenv("KIT_RECORDER") ? "1" : "0", 1);
  unsetenv("KIT_RECORDER");
}
}  // namespace]])
