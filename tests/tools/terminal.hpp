#pragma once

// What a terminal can do, and the kit's use of it.

#include <termios.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

/// Colour, where there is a terminal that knows it and NO_COLOR is not set. It is never the only
/// sign of anything.
class Style {
 public:
  enum Colour { green, red, yellow, dim, bold };

  explicit Style(int fd);
  /// As on a terminal, wherever it goes.
  static Style always() { return Style(); }
  std::string paint(Colour colour, const std::string& text) const;

 private:
  Style() = default;
  bool colour_ = true;
};

/// A line of a report: a title, what came in place of what was expected, and a call in which the
/// check had a hand have colours of their own.
std::string paint_line(const Style& style, const std::string& line);
/// All its lines.
std::string paint_lines(const Style& style, std::string_view report);

/// A screen that is drawn again and again in place, with keys that are read one by one. Where the
/// terminal cannot move its cursor (or is none), each new screen follows the last. The destructor
/// leaves the terminal as it was.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  struct Size {
    std::size_t rows, columns;
  };
  Size size() const;

  /// Whether a line can be drawn over.
  bool moves() const { return moves_; }
  /// Whether keys come one by one.
  bool has_keys() const { return has_keys_; }

  /// Draws the lines, each at most as wide as the screen. Colours in them take no room.
  void draw(const std::vector<std::string>& lines);

 private:
  bool moves_ = false;
  bool has_keys_ = false;
  termios before_{};
  std::vector<std::string> shown_;
  Size drawn_for_{};
};

/// Lines of at most `columns` columns: broken at blanks, the indentation kept. UTF-8 counts by
/// letters.
std::vector<std::string> wrap(std::string_view text, std::size_t columns);

}  // namespace kit
