// How a run of Catch2 ends in the exit status of a check: 0 passed, 1 failed, 77 cannot run here,
// 99 the kit's own error. (Catch2's own status is a number of failed assertions.) Linked into each
// check beside Catch2's main.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "harness/base/catch.hpp"
#include "harness/base/limits.hpp"
#include "run.hpp"

namespace {

class VerdictListener : public kit::CatchListener {
 public:
  using kit::CatchListener::CatchListener;

  // Catch2 prints what it thinks of the run ("Filters: ...", "All tests passed"): nothing may stand
  // above a report, so the standard output that it knows leads nowhere, and we keep the real one.
  void testRunStarting(const Catch::TestRunInfo&) override {
    std::fflush(stdout);
    kit::print_to(fcntl(1, F_DUPFD_CLOEXEC, 3));
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) dup2(nowhere, 1);
  }

  void testRunEnded(const Catch::TestRunStats& stats) override {
    if (stats.totals.testCases.total() == 0) {
      kit::print("The kit's own error, not yours:\n    this check has no such step\n");
      end(kit::limits::kit_error);
    }
    // A signal before the step's first line: Catch2's handler raises it again once we have returned.
    if (stats.totals.assertions.failed > 0) return;
    end(kit::verdict());
  }

 private:
  // At once: nothing of Catch2's is to be printed any more, and nothing is left to clean up.
  [[noreturn]] static void end(int code) { std::_Exit(code); }
};

CATCH_REGISTER_LISTENER(VerdictListener)

}  // namespace

bool kit::register_step(const char* id, const char* title, void (*test)()) {
  const std::string name = std::string(id) + ' ' + title;
  const std::string tag = std::string("[") + id + ']';
  REGISTER_TEST_CASE(test, name, tag);
  return true;
}
