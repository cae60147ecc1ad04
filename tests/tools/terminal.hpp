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
  std::string paint(Colour colour, const std::string& text) const;

 private:
  bool colour_;
};

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
