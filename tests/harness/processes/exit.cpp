#include "exit.hpp"

#include <signal.h>

namespace kit {

std::string signal_name(int number) {
  switch (number) {
    case SIGHUP:
      return "SIGHUP";
    case SIGINT:
      return "SIGINT";
    case SIGQUIT:
      return "SIGQUIT";
    case SIGILL:
      return "SIGILL";
    case SIGABRT:
      return "SIGABRT";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGKILL:
      return "SIGKILL";
    case SIGSEGV:
      return "SIGSEGV";
    case SIGPIPE:
      return "SIGPIPE";
    case SIGALRM:
      return "SIGALRM";
    case SIGTERM:
      return "SIGTERM";
    case SIGCHLD:
      return "SIGCHLD";
    case SIGSTOP:
      return "SIGSTOP";
    case SIGCONT:
      return "SIGCONT";
    case SIGUSR1:
      return "SIGUSR1";
    case SIGUSR2:
      return "SIGUSR2";
    case SIGXCPU:
      return "SIGXCPU";
    case SIGXFSZ:
      return "SIGXFSZ";
    case SIGTRAP:
      return "SIGTRAP";
    default:
      return "signal " + std::to_string(number);
  }
}

std::string Exit::text() const {
  if (signal == 0) return "exit " + std::to_string(code);
  const char* why = "";
  switch (signal) {
    case SIGSEGV:
      why = " (it used memory that is not its own)";
      break;
    case SIGABRT:
      why = " (it called abort, as an exception that nobody catches does)";
      break;
    case SIGPIPE:
      why = " (it wrote to a connection whose other side is gone)";
      break;
    case SIGXCPU:
      why = " (it used up its processor time)";
      break;
    case SIGXFSZ:
      why = " (it wrote too large a file)";
      break;
    case SIGFPE:
      why = " (a division by zero)";
      break;
    default:
      break;
  }
  return "killed by " + signal_name(signal) + why;
}

}  // namespace kit
