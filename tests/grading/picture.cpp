#include "picture.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <vector>

#include "harness/base/escape.hpp"
#include "harness/base/markup.hpp"
#include "harness/base/plain_file.hpp"
#include "harness/shown/picture.hpp"
#include "harness/shown/replay.hpp"

namespace kit {
namespace {

/// The width of a verb in a story, with the blank behind it: see Story::text.
constexpr std::size_t verb_width = 9;
constexpr std::size_t lead_width = 7;
/// What is longer than that is cut: a page is 80 columns wide.
constexpr std::size_t widest = 44;
/// A story's end is where it failed: so many acts of it are drawn.
constexpr std::size_t most_acts = 14;

/// Far from what a step makes: a picture has sixty rows, some 20 kB.
constexpr std::size_t most_seen = std::size_t{8} << 20;
constexpr std::size_t most_picture = std::size_t{256} << 10;

struct Act {
  std::string verb, text;
};

std::string cut(const std::string& text) {
  return width_of(text) <= widest ? text : text.substr(0, bytes_of(text, widest - 1)) + "…";
}

std::string trimmed(std::string text) {
  while (text.ends_with(' ')) text.pop_back();
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin);
}

/// Without the gaps that align a story's lines.
std::string smooth(const std::string& text) {
  std::string result;
  std::istringstream in(text);
  for (std::string word; in >> word;) result += (result.empty() ? "" : " ") + word;
  return result;
}

/// The lines below "what happened", act by act.
std::vector<Act> acts_in(std::string_view report) {
  std::vector<Act> acts;
  std::istringstream in{std::string(report)};
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    const bool heading = line.size() > 2 && line.starts_with("  ") &&
                         std::isalpha(static_cast<unsigned char>(line[2])) != 0;
    if (heading) {
      if (inside) break;
      inside = line == "  what happened";
    } else if (inside && line.size() > lead_width) {
      // "    2. sent     …", "       got      …", or "       ... 3 more like these ..."
      const std::string rest = trimmed(line.substr(lead_width));
      const std::string verb = trimmed(line.substr(lead_width, verb_width));
      if (rest.starts_with("...")) {
        acts.push_back({"", cut(rest)});
      } else if (!verb.empty() && verb.front() != '^') {
        acts.push_back({verb, cut(smooth(rest.substr(verb.size())))});
      }
    }
  }
  return acts;
}

std::string repeated(const char* what, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += what;
  return text;
}

}  // namespace

std::string story_picture(std::string_view report, const std::string& whose) {
  std::vector<Act> acts = acts_in(report);
  if (acts.empty()) return {};
  const std::size_t left_out = acts.size() > most_acts ? acts.size() - most_acts : 0;
  acts.erase(acts.begin(), acts.begin() + static_cast<std::ptrdiff_t>(left_out));
  std::size_t width = 24;
  for (const Act& act : acts) width = std::max(width, width_of(act.text) + act.verb.size() + 1);

  // Six columns are the two ends of an arrow.
  std::string picture = "the check" + std::string(width, ' ') + "your " + whose + "\n";
  const auto line = [&](const std::string& middle) { picture += "    │" + middle + "│\n"; };
  if (left_out > 0) {
    const std::string text = "… " + std::to_string(left_out) + " before that …";
    line("   " + text + std::string(width + 3 - width_of(text), ' '));
  }
  for (const Act& act : acts) {
    const auto rest = [&](const std::string& text) { return width - width_of(text); };
    if (act.verb == "sent") {
      line("── " + act.text + " " + repeated("─", rest(act.text)) + "─▶");
    } else if (act.verb == "received") {
      line("◀─ " + act.text + " " + repeated("─", rest(act.text)) + "──");
    } else if (act.verb == "got") {
      const std::string text = "got " + act.text;
      line("✗─ " + text + " " + repeated("─", rest(text)) + "──");
    } else {
      const std::string text = trimmed(act.verb + " " + act.text);
      line("   " + text + std::string(rest(text) + 3, ' '));
    }
  }
  return picture;
}

std::string seen_picture(const std::filesystem::path& seen, const StepEntry& step) {
  const auto text = PlainFile(AT_FDCWD, seen.string(), most_seen).text();
  if (!text) return {};
  auto replay = Replay::parse(*text);
  // Of what is not written there is nothing to see.
  if (!replay || replay->status != "fail" || replay->cause.starts_with("not written")) return {};
  replay->id = step.id;
  replay->title = step.title;
  std::string picture = valid_utf8(picture_of(*replay));
  return picture.size() > most_picture ? "" : picture;
}

}  // namespace kit
