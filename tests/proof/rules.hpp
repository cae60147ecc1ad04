#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

/// A mistake that a rule makes in a source.
struct RuleMutant {
  unsigned number = 0;   ///< chooses it: KIT_MUTANT=number
  std::string file;      ///< "client.cpp"
  unsigned line = 0;     ///< of the solution's file, for people; the name does without
  std::string function;  ///< the function or member that it is in
  std::string rule;      ///< "statement left out", ...
  std::string change;    ///< what stood there, and what stands there now

  /// The same as long as the place reads the same, wherever in the file it stands:
  /// "client.cpp send_all: condition negated: !bytes.empty()"
  [[nodiscard]] std::string name() const {
    return file + " " + function + ": " + rule + ": " + change;
  }
};

/// A source that is the solution and all of its mutants, each behind a number.
struct RuleSource {
  std::string text;
  std::vector<RuleMutant> mutants;
  /// By line of `text`, counted from 1: the number of the mutant that stands on that line, or 0.
  /// A mutant has lines of its own, so that the compiler's complaint tells which one is at fault.
  std::vector<unsigned> number_of_line;
};

/// Makes the mutants of one file.
/// @param starter  the learner's file at first: the functions that it has already, word for word,
///                 are not the learner's and are left alone
/// @param first    the number of the first mutant
/// @param refused  names that are left out, since they do not compile; numbers stay as they are
RuleSource make_rule_source(const std::string& file, std::string_view source,
                            std::string_view starter, unsigned first,
                            const std::set<std::string>& refused = {});

}  // namespace kit
