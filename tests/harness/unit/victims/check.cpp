// A check whose candidate misbehaves: KIT_VICTIM says how. The harness's own tests run it and look
// at what it says and what it leaves. Where the step was and what listened goes to KIT_NOTES.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "harness/base/sources.hpp"
#include "harness/check.hpp"

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void note(const std::string& line) {
  if (std::FILE* const file = std::fopen(variable("KIT_NOTES").c_str(), "a")) {
    std::fputs((line + '\n').c_str(), file);
    std::fclose(file);
  }
}

void talk_to_the_server(kit::Step& step) {
  note("folder " + step.folder());
  step.suspect("This is what the step suspects.");
  kit::Server& server = step.server({.args = {"--port", "0", "--do", variable("KIT_VICTIM")}});
  note("address " + server.address().text());
  kit::Peer& peer = step.connect(server);
  peer.send("hello");
  peer.expect("HELLO");
  peer.half_close();
  server.stop();
}

}  // namespace

STEP("90.1", "a server that misbehaves") {
  talk_to_the_server(step);
}

STEP("90.2", "the step itself fails") {
  note("folder " + step.folder());
  step.check(false, "the sky is green", "it is blue");
}

STEP("90.3", "cannot run here") {
  throw kit::CannotRun("the moon is in the wrong quarter");
}

STEP("90.4", "the kit is at fault") {
  throw std::runtime_error("a screw is loose");
}

STEP("90.5", "not the manifest's title") {
  step.check(true, "nothing");
}

STEP("90.6", "a program that does not exist") {
  step.start("client");
}

STEP("90.7", "a server under a sanitizer") {
  talk_to_the_server(step);
}

STEP("90.8", "red once, after a moment") {
  static bool again = false;
  note("folder " + step.folder());
  note("waits now");
  step.await(
      [] { return kit::read_text(variable("KIT_NOTES")).value_or("").ends_with("goes on\n"); },
      kit::after(std::chrono::seconds(30)), std::chrono::milliseconds(100));
  step.check(std::exchange(again, true), "a second time", "the first");
}
