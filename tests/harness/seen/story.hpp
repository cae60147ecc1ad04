#pragma once

// What happened, as it is told to a learner: numbered lines, each an act of the check or an answer
// of the program; and the same acts in a form that can be played again by hand.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/address.hpp"
#include "harness/base/limits.hpp"

namespace kit {

/// What one peer did, for "see it yourself": the words of a kit-talk command.
struct Conversation {
  std::string name;  ///< "client 2"
  Address address;   ///< where it connected to, or listened
  bool datagrams = false;
  bool listens = false;            ///< a partner for a client
  std::size_t order = 0;           ///< its place among programs and conversations
  std::size_t acted = 0;           ///< the place of whoever came next after its last act
  bool open = true;                ///< it has neither half-closed nor closed
  std::vector<std::string> words;  ///< {"--send", "'hello '", "--pause", …}
  bool exact = true;               ///< the words say all: every send, and no other bytes

  void add_send(std::string_view bytes);
  /// A pause between two sends: the first was answered, or at least read.
  void add_pause();
  void add(const char* word) { words.emplace_back(word); }
};

/// Told of every act in its moment, for who wants to see the step again.
class Onlooker {
 public:
  virtual ~Onlooker() = default;
  /// The next act begins now: what the programs do meanwhile comes after it.
  virtual void begins() = 0;
  virtual void act(std::string_view verb, std::string_view text, std::string_view who) = 0;
  virtual void failure(std::string_view expected, std::string_view got, std::string_view caret,
                       std::string_view who) = 0;
};

class Story {
 public:
  /// Who is told; null: nobody.
  void set_onlooker(Onlooker* onlooker) { onlooker_ = onlooker; }
  /// The next act that is added begins now: what the program does meanwhile comes after.
  void begins();

  /// Adds a line: `sent`, `"hello "`. The same verb of the same actor right after is joined to it:
  /// `"hello " (6 bytes), then "world\n" (6 bytes)`.
  void add(std::string_view verb, std::string_view text, std::string_view who = {});

  /// Adds what was expected and what came in its place, one under the other.
  void add_failure(std::string_view expected, std::string_view got, std::string_view caret,
                   std::string_view who = {});

  /// The ready line of a server, behind the line that tells of its start.
  void continue_ready(std::string_view line);

  /// A line that belongs to the one above: continued below it without a number.
  void continue_last(std::string_view verb, std::string_view text);

  /// How many actors there are: with more than one, lines say who.
  void set_actors(std::size_t count) { actors_ = count; }

  /// The numbered lines, indented by four, `columns` wide at most. Of a long story the first acts
  /// and the last: as many as have room in so many lines.
  std::string text(std::size_t columns = limits::report_width,
                   std::size_t most = limits::story_lines) const;
  bool empty() const { return lines_.empty(); }
  /// How many acts were told (those that share a line too).
  std::size_t size() const { return acts_; }

 private:
  struct Row {
    std::string verb, text;
    std::string ready{};    // of a start: behind it, or below
    std::size_t caret = 0;  // of what came: the column of the first difference, plus one
    std::size_t keep = 0;   // so many columns are not cut
    bool whole = false;     // what is quoted counts, to its end
  };
  struct Line {
    std::string who;
    std::vector<Row> rows;
    std::size_t joined = 1;
  };
  std::vector<std::string> laid_out(std::size_t index, std::size_t columns) const;

  std::vector<Line> lines_;
  std::size_t actors_ = 0;
  std::size_t acts_ = 0;
  Onlooker* onlooker_ = nullptr;
};

}  // namespace kit
