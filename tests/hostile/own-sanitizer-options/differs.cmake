kit_answer(
  NAME own-sanitizer-options
  SENTENCE "Its server has options of its own for AddressSanitizer."
  FILE server.cpp
  REPLACE [[using namespace socketserver;]]
  WITH [[using namespace socketserver;

extern "C" const char* __asan_default_options() {
  return "halt_on_error=0:exitcode=0:log_path=/dev/null";
}]])
