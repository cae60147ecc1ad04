kit_answer(
  NAME own-report-hooks
  SENTENCE "Its server asks the sanitizers to report to nobody."
  FILE server.cpp
  REPLACE [[using namespace socketserver;]]
  WITH [[using namespace socketserver;

extern "C" void __asan_set_error_report_callback(void (*callback)(const char*)) __attribute__((weak));
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));
namespace {
const bool done = [] {
  if (__asan_set_error_report_callback) __asan_set_error_report_callback([](const char*) {});
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback([] {});
  return true;
}();
}  // namespace]])
