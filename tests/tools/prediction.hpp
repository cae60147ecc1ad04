#pragma once

// What a learner expected, and what became of it. It earns no points: whoever has said what they
// expect sees what surprises them.

#include <string>
#include <string_view>
#include <vector>

#include "judge.hpp"

namespace kit {

/// A question of a page that is answered before the code is written.
struct Prediction {
  std::string question;  ///< one line
  std::string answer;    ///< what the learner expects, one line; empty: nothing yet
  std::string step;      ///< the step that decides it, such as 01.7; empty: none is known
  std::string truth;     ///< what is right, and why; one line

  bool written() const { return !answer.empty(); }
};

/// The questions and answers of lessons/NN_name/predictions.txt: "1. question", "answer: …".
std::vector<Prediction> read_predictions(std::string_view text);

/// Those of a lesson, with what is right (tests/tools/predictions/NN_name.txt: "1 01.7", and below
/// it the words). None if the lesson has no such file.
std::vector<Prediction> predictions(const Judge& judge);

/// Whether the step that decides it is green.
bool is_decided(const Judge& judge, const Prediction& prediction);

/// "predictions: 1 of 2 written (predictions.txt), 1 decided"; empty if there are none.
std::string predictions_line(const Judge& judge);

/// Question, answer and truth of those that are written and decided, in whole lines.
std::string decided_predictions(const Judge& judge);

/// The same, of those that this has not told before with the same answer.
std::string newly_decided_predictions(const Judge& judge);

}  // namespace kit
