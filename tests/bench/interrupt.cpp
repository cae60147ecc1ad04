#include "interrupt.hpp"

#include <csignal>
#include <initializer_list>

namespace kit::bench {
namespace {

volatile std::sig_atomic_t came = 0;

void remember(int /*signal*/) {
  came = 1;
}

}  // namespace

void watch_for_interrupts() {
  struct sigaction action {};
  action.sa_handler = remember;  // without SA_RESTART: a wait that is under way ends at once
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool interrupted() noexcept {
  return came != 0;
}

void stop_if_interrupted() {
  if (interrupted()) throw Interrupted();
}

}  // namespace kit::bench
