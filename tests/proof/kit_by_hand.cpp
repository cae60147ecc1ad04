// kit-by-hand: types the lines by hand that a report prints, with a right answer and with the wrong
// one that the report is about, and says what differs. kit-prove starts it, a report at a time:
//
//   kit-by-hand REPORT KIT-TALK RIGHT WRONG
//
// REPORT is a file; RIGHT and WRONG are folders of built programs. A report without such lines is
// not tried. See also: harness/said/see_it_yourself.cpp.

#include <cstdio>
#include <exception>
#include <string>

#include "by_hand.hpp"
#include "harness/base/sources.hpp"
#include "harness/kernel/events.hpp"

int main(int argc, char* argv[]) {
  constexpr int not_shown = 1;
  constexpr int usage = 2;
  constexpr int kit_error = 99;
  if (argc != 5) {
    std::fputs("usage: kit-by-hand REPORT KIT-TALK RIGHT WRONG\n", stderr);
    return usage;
  }
  try {
    const auto report = kit::read_text(argv[1]);
    const auto lines = kit::lines_by_hand(report.value_or(""));
    if (!lines) {
      std::puts("no lines by hand");
      return 0;
    }
    const std::string seen = kit::seen_by_hand(*lines, argv[2], argv[3], argv[4]);
    std::puts(seen.empty() ? "the lines by hand show nothing" : seen.c_str());
    return seen.empty() ? not_shown : 0;
  } catch (const kit::Interrupted& interrupted) {
    return 128 + interrupted.signal();
  } catch (const std::exception& error) {
    std::printf("the lines by hand cannot be tried: %s\n", error.what());
    return kit_error;
  }
}
