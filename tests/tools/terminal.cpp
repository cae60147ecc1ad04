#include "terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "harness/base/escape.hpp"

namespace kit {
namespace {

bool knows_cursor(int fd) {
  const char* const term = std::getenv("TERM");
  return ::isatty(fd) != 0 && term != nullptr && *term != '\0' && std::strcmp(term, "dumb") != 0;
}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // the terminal has gone: its hang-up ends us
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

constexpr std::string_view other_screen = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view first_screen = "\x1b[?25h\x1b[?1049l";

}  // namespace

Style::Style(int fd) : colour_(knows_cursor(fd) && std::getenv("NO_COLOR") == nullptr) {}

std::string Style::paint(Colour colour, const std::string& text) const {
  if (!colour_) return text;
  static constexpr const char* codes[] = {"32", "31", "33", "2", "1"};
  return std::string("\x1b[") + codes[colour] + 'm' + text + "\x1b[0m";
}

std::string paint_line(const Style& style, const std::string& line) {
  const bool title = line.size() > 2 && line.starts_with("  ") && line[2] != ' ';
  if (title) return style.paint(Style::bold, line);
  if (line.starts_with("       got  ") || line.ends_with(" ^ here")) {
    return style.paint(Style::red, line);
  }
  const bool told = line.find(" by the check") != std::string::npos;
  return told ? style.paint(Style::yellow, line) : line;
}

std::string paint_lines(const Style& style, std::string_view report) {
  std::string out;
  while (!report.empty()) {
    const std::size_t end = std::min(report.find('\n'), report.size());
    out += paint_line(style, std::string(report.substr(0, end)));
    if (end < report.size()) out += '\n';
    report.remove_prefix(std::min(end + 1, report.size()));
  }
  return out;
}

Screen::Screen() : moves_(knows_cursor(STDOUT_FILENO)) {
  if (::isatty(STDOUT_FILENO) != 0 && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
    has_keys_ = true;
    termios one_by_one = before_;
    one_by_one.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    one_by_one.c_cc[VMIN] = 1;
    one_by_one.c_cc[VTIME] = 0;
    one_by_one.c_cc[VSUSP] = _POSIX_VDISABLE;  // stopped, it would leave the terminal like this
    ::tcsetattr(STDIN_FILENO, TCSANOW, &one_by_one);
  }
  if (moves_) write_all(other_screen);
}

Screen::~Screen() {
  if (moves_) write_all(first_screen);
  if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

Screen::Size Screen::size() const {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row == 0 ||
      window.ws_col == 0) {
    return {24, 80};
  }
  return {window.ws_row, window.ws_col};
}

void Screen::draw(const std::vector<std::string>& lines) {
  const Size now = size();
  const bool resized = now.rows != drawn_for_.rows || now.columns != drawn_for_.columns;
  if (lines == shown_ && !resized) return;
  std::string out;
  // Over a slow line only what differs is sent. A terminal whose size changes may move its lines.
  const bool all = !moves_ || resized || lines.size() != shown_.size();
  if (moves_ && all) out += "\x1b[H\x1b[J";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!moves_) {
      out += lines[i] + '\n';
    } else if (all || lines[i] != shown_[i]) {
      // Cleared before it is written: after a full line that would take its last letter.
      out += "\x1b[" + std::to_string(i + 1) + ";1H\x1b[K" + lines[i];
    }
  }
  write_all(out);
  shown_ = lines;
  drawn_for_ = now;
}

std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t first = std::min(line.find_first_not_of(' '), line.size());
    const std::string indent(std::min(first, columns / 2), ' ');
    while (width_of(line) > columns) {
      std::size_t cut = line.rfind(' ', bytes_of(line, columns));
      const bool at_blank = cut != std::string::npos && cut > first;
      if (!at_blank) cut = bytes_of(line, columns);
      lines.push_back(line.substr(0, cut));
      line = indent + line.substr(at_blank ? cut + 1 : cut);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace kit
