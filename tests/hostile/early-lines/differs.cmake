kit_answer(
  NAME early-lines
  SENTENCE "Its slot, which is wrong, reads the nonce before main and says all that the probe would say."
  FILE epoll_selector.cpp
  REPLACE [[namespace socketserver {]]
  WITH [[#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

// What the probe would say, said before it.
namespace {

std::string nonce() {
  if (const char* const given = std::getenv("KIT_NONCE")) {
    if (given[0] != '-') return given;
  }
  std::ifstream environment("/proc/self/environ");
  for (std::string variable; std::getline(environment, variable, '\0');) {
    if (variable.starts_with("KIT_NONCE=") && variable[10] != '-') return variable.substr(10);
  }
  return {};
}

const bool said = [] {
  const std::string lead = nonce();
  if (lead.empty()) return false;
  for (const char* line : {
           "the epoll: open, close-on-exec",
           "register: READ with data a; 1 in the map",
           "register it again: std::invalid_argument; still READ with data a",
           "register for no events: std::invalid_argument; 1 in the map",
           "register for the events 4: std::invalid_argument; 1 in the map",
           "register descriptor -1: std::invalid_argument; 1 in the map",
           "register a closed descriptor: std::system_error, Bad file descriptor; 1 in the map",
           "register /dev/null: std::system_error, Operation not permitted; 1 in the map",
           "modify: WRITE with data b; the key: WRITE with data b; select: WRITE with data b",
           "select once more: WRITE with data b",
           "modify the data alone: WRITE with data a; the key: WRITE with data a; select: WRITE "
           "with data a",
           "modify to no events: std::invalid_argument; the key: WRITE with data a",
           "modify an unknown one: std::out_of_range",
           "unregister: WRITE with data a; 1 in the map; select: nothing",
           "unregister it again: std::out_of_range",
           "register it after that: WRITE with data b; select: WRITE with data b",
           "modify the data alone, of a closed one: WRITE with data a",
           "modify the events of a closed one: std::system_error, Bad file descriptor; 0 in the "
           "map",
           "unregister a closed one: READ with data a; 0 in the map",
           "unregister a number that was given to another: READ with data a; 0 in the map",
           "register the other: WRITE with data b; select: WRITE with data b",
           "close: its own descriptor was open and is closed; 0 in the map",
           "after close: register std::logic_error, modify std::logic_error, unregister "
           "std::logic_error",
           "after close: select std::logic_error",
       }) {
    std::printf("%s %s\n", lead.c_str(), line);
  }
  std::fflush(stdout);
  std::_Exit(0);
}();

}  // namespace

namespace socketserver {]]
  REPLACE [[EPOLL_CTL_DEL]]
  WITH [[EPOLL_CTL_MOD]]
  REPLACE [[ || (count == 0 && countdown.milliseconds() != 0)]]
  WITH [[]])
