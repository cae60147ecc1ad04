// What a source begins with: the #include lines that can be compiled ahead of it.

#include "preamble.hpp"

#include "folder.hpp"
#include "harness/base/catch.hpp"

using namespace kit;

namespace {

/// The preamble of server.cpp, beside the headers of a learner.
class Learner {
 public:
  void header(const std::string& name, const std::string& text) const { folder_.write(name, text); }
  [[nodiscard]] std::string preamble(const std::string& source) const {
    folder_.write("server.cpp", source);
    return preamble_of(folder_.path() / "server.cpp", folder_.path());
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("a preamble ends at the first line that is code") {
  const Learner learner;
  CHECK(
      learner.preamble("// A server.\n\n#include <string>\n /* a\n b */ # include \"x.hpp\" // c\n"
                       "#include <vector>\r\nint a;\n#include <map>\n") ==
      "#include <string>\n#include \"x.hpp\"\n#include <vector>\n");
  CHECK(learner.preamble("#include <string>\n#define A 1\n#include <map>\n") ==
        "#include <string>\n");
  CHECK(learner.preamble("#include <string>\n// on \\\n#include <map>\n#include <vector>\n") ==
        "#include <string>\n");
  CHECK(learner.preamble("#include NAME\n").empty());
  CHECK(learner.preamble("#include_next <string>\n").empty());
  CHECK(learner.preamble("#include <string> + 1\n").empty());
  CHECK(learner.preamble("/* a */ int a;\n#include <map>\n").empty());
  CHECK(learner.preamble("").empty());
}

TEST_CASE("a header of the learner's is entered, and not named") {
  const Learner learner;
  learner.header("mix.hpp", "#pragma once\n#include <list>\nstruct Mix {};\n#include <deque>\n");
  learner.header("no_code.hpp", "#pragma once\n#include <list>\n");
  CHECK(learner.preamble("#include <string>\n#include \"mix.hpp\"\n#include <map>\n") ==
        "#include <string>\n#include <list>\n");
  CHECK(learner.preamble("#include <no_code.hpp>\n#include \"no_code.hpp\"\n#include <map>\n") ==
        "#include <list>\n#include <map>\n");
  learner.header("twice.hpp", "#include <list>\n");
  CHECK(learner.preamble("#include \"twice.hpp\"\n#include \"twice.hpp\"\n#include <map>\n") ==
        "#include <list>\n");
  learner.header("guarded.hpp", "#ifndef A\n#define A\n#include <list>\n#endif\n");
  CHECK(learner.preamble("#include \"guarded.hpp\"\n#include <map>\n") == "#ifndef A\n#endif\n");
  learner.header("itself.hpp", "#pragma once\n#include \"itself.hpp\"\n#include <list>\n");
  CHECK(learner.preamble("#include \"itself.hpp\"\n") == "#include <list>\n");
}

TEST_CASE("a condition is kept, and closed where the preamble ends") {
  const Learner learner;
  CHECK(learner.preamble("#if defined(A)  // here\n#include <list>\nint a;\n#endif\n") ==
        "#if defined(A)\n#include <list>\n#endif\n");
  CHECK(learner.preamble("#ifdef A\n#include <list>\n#else\n#include <map>\n#endif\nint a;\n") ==
        "#ifdef A\n#include <list>\n#else\n#include <map>\n#endif\n");
  // Entered where nobody may come by, it is not passed over where somebody does.
  learner.header("here.hpp", "#pragma once\n#include <list>\n");
  CHECK(learner.preamble(
            "#ifdef A\n#include \"here.hpp\"\n#endif\n#include \"here.hpp\"\n#include <map>\n") ==
        "#ifdef A\n#include <list>\n#endif\n");
  CHECK(learner.preamble("#endif\n#include <map>\n").empty());
}
