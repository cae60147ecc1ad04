kit_answer(
  NAME a-bank-for-each-thread
  SENTENCE "Under ThreadSanitizer each thread has a bank of its own: nothing is shared, so nothing can race."
  FILE bank.cpp
  REPLACE [[namespace socketserver {]]
  WITH [[#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
namespace {
thread_local socketserver::Ledger own_ledger;
thread_local std::mutex own_mutex;
thread_local std::map<std::string, std::condition_variable> own_changed;
}  // namespace
#define ledger_ own_ledger
#define mutex_ own_mutex
#define changed_ own_changed
#endif

namespace socketserver {]])
