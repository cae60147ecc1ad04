#include "picture.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <utility>

#include "harness/base/escape.hpp"
#include "harness/base/markup.hpp"

namespace kit {
namespace {

using Event = Replay::Event;

// Pixels. Letters of the code font are 0.6 of its size wide; textLength holds them to it, whatever
// font there is.
constexpr double letter = 7.2;        // at 12
constexpr double small_letter = 6.6;  // at 11
constexpr double row_height = 22;
constexpr double head_height = 26;
constexpr double top = 84;
constexpr double times_end = 78;
constexpr double arrows_width = 200;
constexpr double edge = 12;
constexpr double text_gap = 12;  // between a lane and its text

constexpr std::size_t most_rows = 60;
constexpr std::size_t most_partners = 4;
constexpr std::size_t most_callers = 4;

// As the page's picture of lesson 01.
constexpr const char* style = R"(<style>
 :root{color-scheme:light dark}
 .paper{fill:#fff}.ink{fill:#1b2733}.soft{fill:#5b6b7b}.line{stroke:#8fa0b0;fill:none;stroke-width:1.5}
 .box{fill:#eef3f7;stroke:#8fa0b0}.dot{fill:#5b6b7b}.told{fill:#8a5a00}
 .msg{stroke:#0b6e99;fill:none;stroke-width:1.8}.fin{stroke:#b3541e;fill:none;stroke-width:1.8;stroke-dasharray:6 4}
 .bad{fill:#b01030}.fault{fill:#fdecef;stroke:#b01030;stroke-width:1.5}.gap{stroke:#8fa0b0;stroke-width:1;stroke-dasharray:2 4}
 .halo{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
 .code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12px;white-space:pre}.small{font-size:11px}
 .head{font-weight:600}
 @media (prefers-color-scheme: dark){.paper{fill:#0d1117}.ink{fill:#e6edf3}.soft{fill:#9fb0c0}.line,.gap{stroke:#5d6d7d}
 .box{fill:#1a232d;stroke:#5d6d7d}.dot{fill:#9fb0c0}.told{fill:#e3b341}.msg{stroke:#58b6e0}.fin{stroke:#f0935a}
 .bad{fill:#ff8fa3}.fault{fill:#2d1218;stroke:#ff8fa3}.halo{stroke:#0d1117}}
</style>
<defs><marker id="a" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="#0b8ec0"/></marker>
<marker id="b" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="#d4692c"/></marker></defs>
)";

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  std::string_view shown(text);
  if (shown.ends_with(".0")) shown.remove_suffix(2);
  return std::string(shown);
}

std::size_t fitting_letters(double width, double each) {
  return width < each ? 0 : static_cast<std::size_t>(width / each);
}

// What fits: without how many bytes that is, at first; and a call that the check told to fail says
// so, as a row that stands for many says of how many, however little room there is.
std::string cut_words(std::string words, const Event& event, const ReplayRow& row,
                      std::size_t columns) {
  if (width_of(words) <= columns) return words;
  if (event.kind == Event::Kind::call) {
    // What came of it says more than all that it was told.
    const std::size_t comma = words.find(", ");
    const std::size_t close = words.find(')');
    if (comma < close && close != std::string::npos) words.replace(comma, close - comma, ", …");
    if (width_of(words) <= columns) return words;
  }
  std::string end = row.times > 1 && !row.partners ? " ×" + std::to_string(row.times) : "";
  if (words.ends_with(end)) words.erase(words.size() - end.size());
  const std::size_t last = words.rfind(" (");
  if (last != std::string::npos && (event.injected || words.ends_with(" bytes)"))) {
    if (event.injected) end = words.substr(last) + end;
    words.erase(last);
  }
  if (width_of(end) + 8 > columns) return cut(words + end, columns);
  return cut(words, columns - width_of(end)) + end;
}

struct Lane {
  std::string name;
  double x = 0;     // of its line
  double left = 0;  // its column
  double right = 0;
  bool partner = false;  // its text stands left of its line
};

/// Where everything stands.
class Chart {
 public:
  explicit Chart(const Replay& replay)
      : replay_(replay), callers_(replay), rows_(rows_of(replay, most_rows)) {
    place_lanes();
    place_rows();
  }

  std::string draw() {
    draw_lanes();
    draw_rows();
    draw_arrows();
    const std::string title =
        cut(replay_.id + ' ' + replay_.title, fitting_letters(width_ - 2 * edge, 9));
    const std::string name = replay_.id + ' ' + replay_.title;
    const std::string width = number(width_);
    const std::string height = number(height_);
    std::string out = R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 )" + width + ' ' +
                      height + R"(" width=")" + width + R"(" height=")" + height +
                      R"(" style="max-width:100%;height:auto" role="img" aria-labelledby="t d")"
                      R"( font-family="system-ui, sans-serif" font-size="15">)"
                      "\n";
    out += R"(<title id="t">)" + xml(name) +
           R"(</title>)"
           "\n"
           R"(<desc id="d">)" +
           xml(description()) + "</desc>\n" + style;
    out += R"(<rect class="paper" width=")" + width + R"(" height=")" + height +
           R"("/>)"
           "\n";
    out +=
        R"(<text class="ink head" x=")" + number(edge) + R"(" y="26">)" + xml(title) + "</text>\n";
    return out + lines_ + arrows_ + texts_ + "</svg>\n";
  }

 private:
  std::string description() const {
    if (replay_.expected.empty()) return "What the check did and what the program called.";
    return "Expected: " + replay_.expected + ". Got: " + replay_.got + '.';
  }

  // ---- where things stand ----

  // Of many the busiest have lanes of their own, in their order: those that are seen, at whom it
  // fails first of all. The place of each among them; of all others the one after.
  static std::vector<std::size_t> lanes_for(const std::vector<std::size_t>& rows, std::size_t most,
                                            std::size_t& count) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] > 0) order.push_back(i);
    }
    const bool all = order.size() <= most;
    if (!all) {
      std::ranges::stable_sort(order, std::greater<>{}, [&rows](std::size_t i) { return rows[i]; });
      order.resize(most - 1);
      std::ranges::sort(order);
    }
    std::vector<std::size_t> place(rows.size(), order.size());
    for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
    count = order.size() + (all ? 0 : 1);
    return place;
  }

  std::size_t partner_of(const Event& event) const {
    return static_cast<std::size_t>(std::ranges::find(replay_.partners, event.who) -
                                    replay_.partners.begin());
  }

  // Who has a lane of its own gives it its name.
  static std::vector<std::string> names_for(const std::vector<std::string>& all,
                                            const std::vector<std::size_t>& place,
                                            const std::vector<std::size_t>& rows,
                                            std::size_t count) {
    std::vector<std::string> names(count);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (rows[i] == 0 || place[i] >= count) continue;
      std::string& name = names[place[i]];
      name = name.empty() ? all[i] : "the others";
    }
    return names;
  }

  void place_lanes() {
    const std::vector<std::string>& callers = callers_.names();
    std::vector<std::size_t> partner_rows(replay_.partners.size(), 0);
    std::vector<std::size_t> caller_rows(callers.size(), 0);
    bool check = false;
    for (const ReplayRow& row : rows_) {
      if (row.left_out > 0) continue;
      const Event& event = replay_.events[row.first];
      if (event.kind == Event::Kind::call) {
        ++caller_rows[callers_.of(event)];
      } else if (const std::size_t at = partner_of(event); at < partner_rows.size()) {
        partner_rows[at] += event.kind == Event::Kind::fault ? replay_.events.size() : 1;
      } else {
        check = true;
      }
    }
    std::size_t partners = 0;
    std::size_t count = 0;
    partner_lanes_ = lanes_for(partner_rows, most_partners, partners);
    caller_lanes_ = lanes_for(caller_rows, most_callers, count);
    std::vector<std::string> left =
        names_for(replay_.partners, partner_lanes_, partner_rows, partners);
    std::vector<std::string> right = names_for(callers, caller_lanes_, caller_rows, count);
    // What the check does itself stands at its only partner's lane.
    own_lane_ = partners != 1 && (check || partners == 0);
    if (own_lane_) left.insert(left.begin(), "the check");
    if (check && partners == 1) left.front() = "the check, " + left.front();
    if (right.empty()) right.emplace_back(callers.empty() ? "the program" : callers.front());

    const auto column = [](std::size_t lanes, double one, double two, double more) {
      return lanes == 1 ? one : lanes == 2 ? two : more;
    };
    const double left_column = column(left.size(), 330, 240, 190);
    const double right_column = column(right.size(), 366, 290, 240);
    double x = times_end;
    for (std::string& name : left) {
      const double wide =
          own_lane_ && &name == &left.front() ? std::max(left_column, 240.0) : left_column;
      lanes_.push_back({std::move(name), x + wide - text_gap, x, x + wide, true});
      x += wide;
    }
    left_count_ = lanes_.size();
    arrows_left_ = lanes_.back().x;
    x += arrows_width - 2 * text_gap;
    arrows_right_ = x + text_gap;
    for (std::string& name : right) {
      lanes_.push_back({std::move(name), x + text_gap, x, x + right_column, false});
      x += right_column;
    }
    width_ = x + edge;
  }

  std::size_t lane_of(const Event& event) const {
    if (event.kind == Event::Kind::call) {
      return std::min(left_count_ + caller_lanes_[callers_.of(event)], lanes_.size() - 1);
    }
    const std::size_t at = partner_of(event);
    const std::size_t lane = at < partner_lanes_.size() ? partner_lanes_[at] : 0;
    if (at >= partner_lanes_.size() || left_count_ == 1) return 0;
    return std::min(lane + (own_lane_ ? 1 : 0), left_count_ - 1);
  }

  std::vector<std::string> fault_lines() const {
    const std::size_t columns = fitting_letters(width_ - 2 * edge - 24, letter);
    std::vector<std::string> lines = {cut("expected  " + replay_.expected, columns),
                                      cut("got       " + replay_.got, columns)};
    if (!replay_.caret.empty() && replay_.caret.size() + 16 < columns) {
      lines.push_back(std::string(10, ' ') + replay_.caret + "^ here");
    }
    return lines;
  }

  void place_rows() {
    double y = top + row_height / 2;
    for (const ReplayRow& row : rows_) {
      ys_.push_back(y);
      const bool fault = row.left_out == 0 && replay_.events[row.first].kind == Event::Kind::fault;
      y += fault ? row_height * (1.5 + static_cast<double>(fault_lines().size())) : row_height;
    }
    const bool ends_here = !rows_.empty() && rows_.back().left_out == 0 &&
                           replay_.events[rows_.back().first].kind == Event::Kind::fault;
    lanes_end_ = ends_here ? ys_.back() : y - row_height / 2;
    height_ = y + edge;
  }

  // The row of an event that is shown.
  std::optional<std::size_t> row_of(std::size_t event) const {
    const auto row = std::ranges::lower_bound(rows_, event, {}, &ReplayRow::last);
    if (row == rows_.end() || row->left_out > 0) return std::nullopt;
    return static_cast<std::size_t>(row - rows_.begin());
  }

  // ---- drawing ----

  // Text in code, `fits` columns at most: held to its width. The whole of it for who points at it.
  void text(double x, double y, const std::string& shown, const std::string& whole,
            const std::string& classes, bool ends_here, double each) {
    if (shown.empty()) return;
    texts_ += "<text class=\"code " + classes + "\" x=\"" + number(x) + "\" y=\"" + number(y) +
              '"' + (ends_here ? " text-anchor=\"end\"" : "") + " textLength=\"" +
              number(static_cast<double>(width_of(shown)) * each) +
              "\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\">" + xml(shown) +
              (whole == shown ? "" : "<title>" + xml(whole) + "</title>") + "</text>\n";
  }

  void draw_lanes() {
    for (const Lane& lane : lanes_) {
      lines_ += "<path class=\"line\" d=\"M" + number(lane.x) + ' ' +
                number(top - row_height / 2 - 6) + 'V' + number(lanes_end_) + "\"/>\n";
      const double left = lane.partner ? lane.left + 4 : lane.left + 2;
      const double wide = lane.right - lane.left - 6;
      const std::string name = cut(lane.name, fitting_letters(wide - 12, letter));
      lines_ += "<rect class=\"box\" x=\"" + number(left) + "\" y=\"" +
                number(top - row_height / 2 - 6 - head_height) + "\" width=\"" + number(wide) +
                "\" height=\"" + number(head_height) + "\" rx=\"5\"/>\n";
      const double middle = left + wide / 2;
      const double half = static_cast<double>(width_of(name)) * letter / 2;
      text(middle - half, top - row_height / 2 - 6 - 9, name, lane.name, "ink head", false, letter);
    }
  }

  void draw_rows() {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const ReplayRow& row = rows_[i];
      const double y = ys_[i];
      if (row.left_out > 0) {
        lines_ += "<path class=\"gap\" d=\"M" + number(edge) + ' ' + number(y) + 'H' +
                  number(width_ - edge) + "\"/>\n";
        const std::string words = "… " + counted(row.left_out, "more event") + " …";
        text(arrows_left_ + text_gap, y + 4, words, words, "soft halo small", false, small_letter);
        continue;
      }
      const Event& event = replay_.events[row.first];
      // A moment is written once.
      const std::string time = clock_text(event.time);
      if (std::exchange(shown_time_, time) != time)
        text(times_end - 10, y + 4, time, time, "soft small", true, small_letter);
      if (event.kind == Event::Kind::fault) {
        draw_fault(y);
      } else {
        draw_event(event, row, y);
      }
    }
  }

  // What it says, and who, in a lane that it shares.
  std::string words(const Event& event, const ReplayRow& row, const Lane& lane) const {
    std::string who;
    if (lane.name == "the others" && !row.partners) {
      const bool call = event.kind == Event::Kind::call;
      who = call ? callers_.names()[callers_.of(event)] : event.who;
    }
    return (who.empty() ? "" : who + ": ") + words_of(replay_, row);
  }

  void draw_event(const Event& event, const ReplayRow& row, double y) {
    const Lane& lane = lanes_[lane_of(event)];
    const std::size_t columns = fitting_letters(lane.right - lane.left - text_gap - 8, letter);
    const std::string whole = words(event, row, lane);
    const std::string shown = cut_words(whole, event, row, columns);
    if (event.injected) {
      lines_ += "<path class=\"told\" d=\"M" + number(lane.x - 5) + ' ' + number(y) +
                "l5 -5l5 5l-5 5z\"/>\n";
    } else {
      lines_ += "<circle class=\"dot\" cx=\"" + number(lane.x) + "\" cy=\"" + number(y) +
                "\" r=\"2.5\"/>\n";
    }
    text(lane.partner ? lane.x - text_gap + 4 : lane.x + text_gap - 4, y + 4, shown, whole,
         event.injected ? "told halo" : "ink halo", lane.partner, letter);
  }

  void draw_fault(double y) {
    const std::vector<std::string> lines = fault_lines();
    const double box = y + row_height / 2;
    lines_ += "<path class=\"fault\" d=\"M" + number(times_end - 6) + ' ' + number(y) + 'H' +
              number(width_ - edge) + "\"/>\n<rect class=\"fault\" x=\"" + number(edge) +
              "\" y=\"" + number(box) + "\" width=\"" + number(width_ - 2 * edge) + "\" height=\"" +
              number(row_height * static_cast<double>(lines.size()) + 4) + "\" rx=\"5\"/>\n";
    const std::string words = "✗ here it fails";
    text(times_end, y - 4, words, words, "bad halo head", false, letter);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string& whole = i == 0   ? "expected  " + replay_.expected
                                 : i == 1 ? "got       " + replay_.got
                                          : lines[i];
      text(edge + 12, box + row_height * static_cast<double>(i) + 17, lines[i], whole, "bad", false,
           letter);
    }
  }

  void draw_arrows() {
    const bool has_calls = std::ranges::any_of(
        replay_.events, [](const Event& event) { return event.kind == Event::Kind::call; });
    std::vector<std::pair<std::size_t, std::size_t>> drawn;
    for (const Arrow& arrow : arrows_of(replay_)) {
      const auto from = row_of(arrow.from);
      if (!from) continue;
      const double x1 = lanes_[lane_of(replay_.events[arrow.from])].x;
      const double y1 = ys_[*from];
      if (arrow.to) {
        const auto to = row_of(*arrow.to);
        if (!to || *to <= *from) continue;
        if (std::ranges::find(drawn, std::pair(*from, *to)) != drawn.end()) continue;
        const bool again =
            std::ranges::any_of(drawn, [&](const auto& one) { return one.first == *from; });
        drawn.emplace_back(*from, *to);
        double x2 = lanes_[lane_of(replay_.events[*arrow.to])].x;
        line(x1, y1, x2 + (arrow.to_program ? -4 : 4), ys_[*to], arrow.end);
        if (!again) label(arrow, y1);
      } else if (!has_calls) {
        line(x1, y1, arrows_right_ - 4, y1 + row_height / 2, arrow.end);
        label(arrow, y1);
      } else {
        // It ends in the middle, before a bar.
        const double middle = (arrows_left_ + arrows_right_) / 2;
        const char* const kind = arrow.end ? "fin" : "msg";
        arrows_ += std::string("<path class=\"") + kind + "\" d=\"M" + number(x1) + ' ' +
                   number(y1) + 'L' + number(middle) + ' ' + number(y1 + 8) + "m0 -6v12\"/>\n";
        label(arrow, y1, ": not read");
      }
    }
  }

  void line(double x1, double y1, double x2, double y2, bool end) {
    arrows_ += std::string("<path class=\"") + (end ? "fin" : "msg") + "\" marker-end=\"url(#" +
               (end ? 'b' : 'a') + ")\" d=\"M" + number(x1) + ' ' + number(y1) + 'L' + number(x2) +
               ' ' + number(y2) + "\"/>\n";
  }

  // Above its arrow's beginning, between the partners and the program.
  void label(const Arrow& arrow, double y, const std::string& more = {}) {
    const std::size_t columns =
        fitting_letters(arrows_right_ - arrows_left_ - 4 * text_gap, small_letter);
    const std::string shown = cut(arrow.label, columns - more.size()) + more;
    const double x = arrow.to_program ? arrows_left_ + text_gap : arrows_right_ - text_gap;
    text(x, y - 3, shown, arrow.label, "soft halo small", !arrow.to_program, small_letter);
  }

  const Replay& replay_;
  Callers callers_;
  std::vector<ReplayRow> rows_;
  std::vector<Lane> lanes_;
  std::vector<std::size_t> partner_lanes_, caller_lanes_;
  bool own_lane_ = false;
  std::size_t left_count_ = 0;
  std::vector<double> ys_;
  double arrows_left_ = 0;
  double arrows_right_ = 0;
  double width_ = 0;
  double lanes_end_ = 0;
  double height_ = 0;
  std::string shown_time_;
  std::string lines_, arrows_, texts_;
};

}  // namespace

std::string picture_of(const Replay& replay) {
  return Chart(replay).draw();
}

}  // namespace kit
