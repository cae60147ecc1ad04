#pragma once

// A class as its teacher looks at it: what was not understood, by whom, and how often. Made of the
// grades alone; class.html, class.md and class.json are three forms of it.

#include <map>
#include <string>
#include <vector>

#include "grade.hpp"
#include "known.hpp"

namespace kit {

/// What a class's view is made of.
struct ClassInput {
  std::vector<Grade> grades;                    ///< in the order of their names
  std::map<std::string, std::string> titles{};  ///< of lessons, by "01_tcp_echo"
  std::map<std::string, KnownAnswers> known{};  ///< by lesson; one that is empty is not used
  std::vector<std::string> not_graded{};        ///< who is missing
  bool anonymous = false;                       ///< no names: "submission 1", by points
};

struct ClassView {
  struct Step {
    std::string id, title;
    std::size_t passed = 0;
    std::size_t unwritten = 0;  ///< not written, does not build, nothing handed in
    std::size_t failed = 0;     ///< all others that did not pass
    [[nodiscard]] std::size_t all() const { return passed + unwritten + failed; }
  };
  struct Student {
    std::string name;
    double score = 0;
    std::map<std::string, char> marks;  ///< by step: p(assed), f(ailed), u(nwritten), n(ot judged)
    Resemblance like;
  };
  struct Cause {
    std::string step, cause;
    std::vector<std::string> who;
  };
  /// Those who share a wrong answer.
  struct Group {
    std::vector<KnownAnswerPointer> answers;  ///< several cannot be told apart
    std::vector<std::string> who;
    std::vector<std::string> besides;  ///< those who have it as a second fault
  };
  struct Lesson {
    std::string name, title;
    double max = 0;
    bool compared = false;  ///< there is a table of known answers
    std::vector<Step> steps;
    std::vector<Student> students;  ///< the most points first
    std::vector<Group> groups;      ///< the largest first
    std::vector<Cause> causes;      ///< the most frequent first
    std::size_t like_none = 0;      ///< failed, and like no known answer
    [[nodiscard]] double mean() const;
    [[nodiscard]] double median() const;
    [[nodiscard]] std::size_t perfect() const;
    /// Submissions by tenths of the points; the last one: all of them.
    [[nodiscard]] std::vector<std::size_t> distribution() const;
  };
  struct Way {
    std::string name;
    std::vector<HandIn> hand_ins;
    [[nodiscard]] double hours() const;
  };

  explicit ClassView(const ClassInput& input);

  std::string kit;
  std::uint32_t seed = 0;
  std::size_t submissions = 0;
  std::vector<Lesson> lessons;
  std::vector<Way> ways;  ///< of those who have handed in more than once
  std::vector<std::string> not_graded;
  bool anonymous = false;
};

/// "pass", "fail", "not written", "not judged".
std::string mark_text(char mark);

/// How the tenths are called: "0 to 9 %", …, "100 %".
std::string tenth_text(std::size_t tenth);

/// One page that needs nothing else: no script, no picture, no font from elsewhere.
std::string class_html(const ClassView& view);
std::string class_markdown(const ClassView& view);
Json class_json(const ClassView& view);

}  // namespace kit
