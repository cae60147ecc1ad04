#pragma once

// Looks on while a step runs, for who wants to see it again. KIT_SHOW names a file: it gets all
// that was seen (kit-show). KIT_PICTURES names a folder: a red step leaves its picture there. With
// neither of them set there is no witness, and nothing is kept.

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "harness/seen/recorder_log.hpp"
#include "harness/seen/story.hpp"
#include "harness/shown/replay.hpp"

namespace kit {

class Program;
class Step;

class Witness final : public Onlooker {
 public:
  /// Whether the environment asks for one.
  static bool is_wanted();

  explicit Witness(Step& step);

  /// A partner has come: it has "opened" or "accepted" a connection, or "opened" a socket.
  void partner(const std::string& name, std::string_view verb, std::string_view what);
  void begins() override;
  void act(std::string_view verb, std::string_view text, std::string_view who) override;
  void failure(std::string_view expected, std::string_view got, std::string_view caret,
               std::string_view who) override;
  /// Takes in what the programs have called since the last look: their recorders keep the last
  /// calls alone.
  void look();

  /// The step is over, and its programs are still there. Writes what was asked for.
  void finish(std::string_view status, std::string_view cause);
  /// The picture that stands in KIT_PICTURES, as the report names it: "build/show/01.13.svg". Of a
  /// step that has failed and is not yet finished. Empty if it could not be written.
  std::string draw();

 private:
  struct Call {
    const Program* program;
    CallRecord record;
    std::int64_t time;
  };
  std::int64_t now() const;
  std::int64_t moment();
  void keep(const Program& program, const CallRecord& record);
  void complete();

  Step& step_;
  std::int64_t start_;
  std::int64_t begun_ = -1;
  std::map<const Program*, std::uint64_t> seen_;        // calls of each
  std::map<std::pair<int, int>, std::int64_t> latest_;  // a thread's calls do not overtake
  Replay replay_;
  std::deque<Call> first_calls_, last_calls_;
  bool complete_ = false;
};

}  // namespace kit
