#include "chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <utility>

#include "harness/base/markup.hpp"

namespace kit::bench {
namespace {

// ---- the look -----------------------------------------------------------------------------------

struct Colour {
  const char* id;
  const char* light;
  const char* dark;
  char marker;  // c circle, s square, t triangle, d diamond, o open diamond, - none
};

// Told apart by hue, by lightness and by marker, so that no reader depends on one of them.
constexpr std::array<Colour, 9> palette{{
    {"plain", "#7b828c", "#8b949e", '-'},
    {"sync", "#a16207", "#e3b341", 'o'},
    {"threads", "#1f5fd0", "#6cb0ff", 's'},
    {"forks", "#c4265e", "#ff7ba6", 't'},
    {"selector", "#0a7d5a", "#3fd6a2", 'c'},
    {"selector-poll", "#6b4fc8", "#b39bff", 'd'},
    {"other-1", "#7a4a2b", "#d9a37c", 's'},
    {"other-2", "#0e7490", "#67d4ea", 't'},
    {"other-3", "#4d5b23", "#b6cc6e", 'c'},
}};
constexpr std::size_t first_other = 6;

constexpr const char* style_start = R"(<style>
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif; font-size: 12px; fill: #1d2127; }
.card { fill: #fdfdfb; stroke: #e4e4de; }
.title { font-size: 19px; font-weight: 650; letter-spacing: -0.01em; }
.subtitle { font-size: 13px; fill: #5a626d; }
.panel { font-size: 13px; font-weight: 600; }
.quiet { fill: #6b7380; font-weight: 400; }
.small { font-size: 11px; }
.grid { stroke: #e9e9e4; stroke-width: 1; }
.axis { stroke: #b9bec6; stroke-width: 1; }
.line { fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round; }
.plain .line { stroke-width: 1.5; stroke-dasharray: 2 4; }
.spread { stroke-width: 6; stroke-linecap: round; opacity: 0.16; }
.leader { stroke-width: 1; opacity: 0.6; fill: none; }
.marker { stroke: #fdfdfb; stroke-width: 1.5; }
.sync .marker { stroke-width: 2; }
.label { font-weight: 600; paint-order: stroke; stroke: #fdfdfb; stroke-width: 4px; stroke-linejoin: round; }
.value { font-weight: 400; }
)";

constexpr const char* dark_start = R"(@media (prefers-color-scheme: dark) {
text { fill: #e6e9ee; }
.card { fill: #16191e; stroke: #2a2f37; }
.subtitle { fill: #a2abb7; }
.quiet { fill: #949daa; }
.grid { stroke: #272c34; }
.axis { stroke: #4b535f; }
.marker { stroke: #16191e; }
.label { stroke: #16191e; }
)";

constexpr double card_margin = 24;
constexpr double header_height = 80;
constexpr double legend_height = 26;  // where several panels share a legend
constexpr double footer_height = 34;
constexpr double panel_gap = 22;
constexpr double single_width = 720, single_height = 380;  // of a panel that stands alone
constexpr double shared_width = 430, shared_height = 286;  // of one among others
constexpr double panel_top = 34, panel_bottom = 40, panel_left = 54, panel_right = 148;
constexpr double label_gap = 15;
constexpr double character_width = 7.2;  // of a label's text; fonts differ, this is a wide one
constexpr double margin_factor = 1.3;    // above and below the marks of a logarithmic axis

// ---- small helpers ------------------------------------------------------------------------------

std::string fixed(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

std::string attribute(const char* name, double value) {
  return std::string(" ") + name + "=\"" + fixed(value) + '"';
}

std::string text_at(double x, double y, const std::string& style, const std::string& text,
                    const std::string& more = "") {
  return "<text" + attribute("x", x) + attribute("y", y) + " class=\"" + style + "\"" + more + ">" +
         kit::xml(text) + "</text>\n";
}

std::string line_between(double x1, double y1, double x2, double y2, const std::string& style) {
  return "<line" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) +
         attribute("y2", y2) + " class=\"" + style + "\"/>\n";
}

std::string colour_rules(bool dark) {
  std::string rules;
  for (const Colour& colour : palette) {
    const std::string id = std::string(".") + colour.id;
    const std::string value = dark ? colour.dark : colour.light;
    rules += id + " .line, " + id + " .spread, " + id + " .leader { stroke: " + value + "; } ";
    rules += id + " .label { fill: " + value + "; } ";
    rules += id + (colour.marker == 'o' ? " .marker { fill: none; stroke: " : " .marker { fill: ") +
             value + "; }\n";
  }
  return rules;
}

std::string style() {
  return style_start + colour_rules(false) + dark_start + colour_rules(true) + "}\n</style>\n";
}

std::size_t palette_place(const std::string& id, std::size_t others_before) {
  for (std::size_t i = 0; i < first_other; ++i)
    if (palette[i].id == id) return i;
  return first_other + others_before % (palette.size() - first_other);
}

std::string marker(char shape, double x, double y) {
  const auto path = [&](const std::vector<std::pair<double, double>>& corners) {
    std::string points;
    for (const auto& [dx, dy] : corners)
      points += (points.empty() ? "" : " ") + fixed(x + dx) + "," + fixed(y + dy);
    return "<polygon points=\"" + points + "\" class=\"marker\">";
  };
  switch (shape) {
    case 's':
      return path({{-4.2, -4.2}, {4.2, -4.2}, {4.2, 4.2}, {-4.2, 4.2}});
    case 't':
      return path({{0, -5.6}, {5.2, 4}, {-5.2, 4}});
    case 'd':
      return path({{0, -5.8}, {5.8, 0}, {0, 5.8}, {-5.8, 0}});
    case 'o':
      return path({{0, -8.5}, {8.5, 0}, {0, 8.5}, {-8.5, 0}});
    default:
      return "<circle" + attribute("cx", x) + attribute("cy", y) + " r=\"4.6\" class=\"marker\">";
  }
}

const char* end_of_marker(char shape) {
  return shape == 'c' ? "</circle>\n" : "</polygon>\n";
}

// ---- one panel ----------------------------------------------------------------------------------

struct Scale {
  bool logarithmic = false;
  double low = 0, high = 1;   // of the values
  double begin = 0, end = 1;  // of the picture

  [[nodiscard]] double operator()(double value) const {
    const auto place = [this](double v) { return logarithmic ? std::log10(v) : v; };
    return begin + (place(value) - place(low)) / (place(high) - place(low)) * (end - begin);
  }
};

struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
};

struct Drawn {
  const Series* series = nullptr;
  const Colour* colour = nullptr;
  std::vector<std::pair<double, double>> points;
};

class PanelPicture {
 public:
  PanelPicture(const Panel& panel, const Box& frame) : panel_(panel), frame_(frame) {
    plot_ = {frame.left + panel_left, frame.top + panel_top, frame.right - panel_right,
             frame.bottom - panel_bottom};
    choose_scales();
    place_series();
  }

  [[nodiscard]] std::string svg() const {
    std::string out = "<text" + attribute("x", frame_.left) + attribute("y", frame_.top + 14) +
                      " class=\"panel\">" + kit::xml(panel_.title) +
                      "<tspan class=\"quiet small\" dx=\"9\">" + kit::xml(panel_.hint) +
                      "</tspan></text>\n";
    out += y_axis() + x_axis();
    for (const Drawn& drawn : drawn_) out += line(drawn);
    for (const Drawn& drawn : drawn_) out += markers(drawn);
    return out + end_labels() + inner_labels();
  }

 private:
  void choose_scales();
  void place_series();
  [[nodiscard]] std::string y_axis() const;
  [[nodiscard]] std::string x_axis() const;
  [[nodiscard]] static std::string line(const Drawn& drawn);
  [[nodiscard]] std::string markers(const Drawn& drawn) const;
  [[nodiscard]] std::string end_labels() const;
  [[nodiscard]] std::string inner_labels() const;
  [[nodiscard]] bool reaches_the_end(const Drawn& drawn) const {
    return drawn.points.back().first > plot_.right - 1;
  }
  [[nodiscard]] double free_place_beside(const Drawn& drawn, double width) const;
  [[nodiscard]] bool is_free(const Box& box) const;

  const Panel& panel_;
  Box frame_, plot_;
  Scale x_, y_;
  std::vector<double> y_ticks_;
  std::vector<Drawn> drawn_;
};

void PanelPicture::choose_scales() {
  double low = std::numeric_limits<double>::max(), high = 0;
  for (const Series& series : panel_.series)
    for (const Mark& mark : series.marks) {
      low = std::min(low, mark.low);
      high = std::max(high, mark.high);
    }
  if (high == 0) low = high = 1;  // an empty panel still has axes
  if (panel_.y.logarithmic) {
    low /= margin_factor;
    high *= margin_factor;
    for (const double tick : panel_.y.ticks)  // a line to stand on, if there is one nearby
      if (tick < low && tick > low / 2) low = tick;
  }
  y_ticks_ =
      panel_.y.ticks.empty() ? pleasant_ticks(low, high, panel_.y.logarithmic) : panel_.y.ticks;
  std::erase_if(y_ticks_,
                [&](double tick) { return panel_.y.logarithmic && (tick < low || tick > high); });
  if (!panel_.y.logarithmic) high = std::max(high, y_ticks_.back());
  y_ = {panel_.y.logarithmic, panel_.y.logarithmic ? low : 0, high, plot_.bottom, plot_.top};
  x_ = {panel_.x.logarithmic, panel_.x.ticks.front(), panel_.x.ticks.back(), plot_.left,
        plot_.right};
  if (x_.high <= x_.low) x_.low = x_.high / 2;  // one measured place: at the right, by the labels
}

void PanelPicture::place_series() {
  std::size_t others = 0;
  for (const Series& series : panel_.series) {
    if (series.marks.empty()) continue;
    const std::size_t place = palette_place(series.id, others);
    others += place >= first_other ? 1 : 0;
    Drawn drawn{&series, &palette[place], {}};
    for (const Mark& mark : series.marks) drawn.points.emplace_back(x_(mark.x), y_(mark.y));
    drawn_.push_back(std::move(drawn));
  }
}

std::string PanelPicture::y_axis() const {
  std::string out;
  for (const double tick : y_ticks_) {
    const double y = y_(tick);
    out += line_between(plot_.left, y, plot_.right, y, "grid");
    out +=
        text_at(plot_.left - 8, y + 4, "quiet small", panel_.y.text(tick), " text-anchor=\"end\"");
  }
  return out;
}

std::string PanelPicture::x_axis() const {
  std::string out = line_between(plot_.left, plot_.bottom, plot_.right, plot_.bottom, "axis");
  double free_from = 0;  // the numbers of neighbours must not run into each other
  for (const double tick : panel_.x.ticks) {
    const double x = x_(tick);
    const double half = character_width / 2 * static_cast<double>(panel_.x.text(tick).size());
    out += line_between(x, plot_.bottom, x, plot_.bottom + 4, "axis");
    if (x - half < free_from) continue;
    free_from = x + half + 4;
    out += text_at(x, plot_.bottom + 18, "quiet small", panel_.x.text(tick),
                   " text-anchor=\"middle\"");
  }
  return out + text_at(plot_.right + 30, plot_.bottom + 18, "quiet small", panel_.x.title);
}

std::string PanelPicture::line(const Drawn& drawn) {
  std::string out = std::string("<g class=\"") + drawn.colour->id + "\">\n";
  std::string points;
  for (const auto& [x, y] : drawn.points)
    points += (points.empty() ? "" : " ") + fixed(x) + "," + fixed(y);
  if (drawn.points.size() > 1) out += "<polyline class=\"line\" points=\"" + points + "\"/>\n";
  return out + "</g>\n";
}

std::string PanelPicture::markers(const Drawn& drawn) const {
  std::string out = std::string("<g class=\"") + drawn.colour->id + "\">\n";
  const bool alone = drawn.points.size() == 1;
  for (std::size_t i = 0; i < drawn.points.size(); ++i) {
    const Mark& mark = drawn.series->marks[i];
    const auto [x, y] = drawn.points[i];
    if (drawn.colour->marker != '-' && y_(mark.low) - y_(mark.high) > 2)
      out += line_between(x, y_(mark.low), x, y_(mark.high), "spread");
    if (drawn.colour->marker == '-' && !alone) continue;
    const char shape = drawn.colour->marker == '-' ? 'c' : drawn.colour->marker;
    out += marker(shape, x, y) + "<title>" +
           kit::xml(drawn.series->label + ", " + panel_.x.text(mark.x) + " " + panel_.x.title +
                    ": " + panel_.y.text(mark.y)) +
           "</title>" + end_of_marker(shape);
  }
  return out + "</g>\n";
}

// The lines that reach the right edge are named there, one below the other where they come close.
std::string PanelPicture::end_labels() const {
  std::vector<const Drawn*> ending;
  std::vector<double> wanted;
  for (const Drawn& drawn : drawn_) {
    if (!reaches_the_end(drawn)) continue;
    ending.push_back(&drawn);
    wanted.push_back(drawn.points.back().second);
  }
  const auto places = spread_out(wanted, label_gap, plot_.top, plot_.bottom - 6);
  std::string out;
  for (std::size_t i = 0; i < ending.size(); ++i) {
    const Drawn& drawn = *ending[i];
    const double x = plot_.right, y = places[i];
    out += std::string("<g class=\"") + drawn.colour->id + "\">\n";
    out += "<path class=\"leader\" d=\"M" + fixed(x + 8) + " " + fixed(wanted[i]) + "L" +
           fixed(x + 16) + " " + fixed(y) + "\"/>\n";
    out += "<text" + attribute("x", x + 20) + attribute("y", y + 4) + " class=\"label\">" +
           kit::xml(drawn.series->label) + "<tspan class=\"value\" dx=\"5\">" +
           kit::xml(panel_.y.text(drawn.series->marks.back().y)) + "</tspan></text>\n</g>\n";
  }
  return out;
}

// A line that stops earlier is named beside its last point, where nothing else is.
std::string PanelPicture::inner_labels() const {
  std::string out;
  for (const Drawn& drawn : drawn_) {
    if (reaches_the_end(drawn)) continue;
    const std::string text = drawn.series->label;
    const double width = character_width * static_cast<double>(text.size());
    const auto [x, y] = drawn.points.back();
    const double place = free_place_beside(drawn, width);
    out += std::string("<g class=\"") + drawn.colour->id + "\">\n";
    if (place < y - 20 || place > y + 28)
      out += line_between(x, place < y ? y - 10 : y + 10, x, place < y ? place + 3 : place - 11,
                          "leader");
    out += text_at(x + (drawn.colour->marker == 'o' ? 12 : 9), place, "label", text) + "</g>\n";
  }
  return out;
}

double PanelPicture::free_place_beside(const Drawn& drawn, double width) const {
  const auto [x, y] = drawn.points.back();
  for (double away = 0; away < plot_.bottom - plot_.top; away += 7)
    for (const double place : {y + 4 + away, y + 4 - away}) {
      const Box box{x + 8, place - 11, x + 12 + width, place + 3};
      if (box.top > plot_.top && box.bottom < plot_.bottom - 2 && is_free(box)) return place;
    }
  return y - 10;
}

bool PanelPicture::is_free(const Box& box) const {
  for (const Drawn& drawn : drawn_)
    for (std::size_t i = 0; i + 1 < drawn.points.size(); ++i) {
      const auto [x1, y1] = drawn.points[i];
      const auto [x2, y2] = drawn.points[i + 1];
      for (double x = std::max(x1, box.left); x <= std::min(x2, box.right); x += 4) {
        const double y = y1 + (y2 - y1) * (x - x1) / (x2 - x1);
        if (y > box.top - 3 && y < box.bottom + 3) return false;
      }
    }
  return true;
}

std::vector<double> logarithmic_ticks(double low, double high) {
  std::vector<double> ticks;
  for (const auto& factors : {std::vector<double>{1}, std::vector<double>{1, 2, 5}}) {
    ticks.clear();
    for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10)
      for (const double factor : factors)
        if (power * factor >= low && power * factor <= high) ticks.push_back(power * factor);
    if (ticks.size() >= 3) break;
  }
  return ticks;
}

// ---- the whole picture --------------------------------------------------------------------------

std::string legend(const Figure& figure, double x, double y) {
  std::vector<const Series*> shown;
  for (const Panel& panel : figure.panels)
    for (const Series& series : panel.series) {
      const auto same = [&](const Series* other) { return other->id == series.id; };
      if (!series.marks.empty() && std::none_of(shown.begin(), shown.end(), same))
        shown.push_back(&series);
    }
  std::string out;
  std::size_t others = 0;
  for (const Series* series : shown) {
    const std::size_t place = palette_place(series->id, others);
    others += place >= first_other ? 1 : 0;
    const Colour& colour = palette[place];
    out += std::string("<g class=\"") + colour.id + "\"><polyline class=\"line\" points=\"" +
           fixed(x) + "," + fixed(y - 4) + " " + fixed(x + 22) + "," + fixed(y - 4) + "\"/>";
    if (colour.marker != '-')
      out += marker(colour.marker, x + 11, y - 4) + end_of_marker(colour.marker);
    out += text_at(x + 28, y, "label", series->label) + "</g>\n";
    x += 44 + character_width * static_cast<double>(series->label.size());
  }
  return out;
}

// Where everything stands.
struct Layout {
  explicit Layout(const Figure& figure) {
    const int panels = static_cast<int>(figure.panels.size());
    alone = panels < 2;
    columns = std::max(1, std::min(panels, figure.columns));
    const int rows = (panels + columns - 1) / columns;
    panel_width = alone ? single_width : shared_width;
    panel_height = alone ? single_height : shared_height;
    top = header_height + (alone ? 0 : legend_height);
    width = 2 * card_margin + columns * panel_width + (columns - 1) * panel_gap;
    height = top + rows * panel_height + footer_height;
  }

  [[nodiscard]] Box frame(int panel) const {
    const double left = card_margin + panel % columns * (panel_width + panel_gap);
    const double upper = top + static_cast<double>(panel / columns) * panel_height;
    return {left, upper, left + panel_width, upper + panel_height};
  }

  bool alone = true;
  int columns = 1;
  double panel_width = 0, panel_height = 0;
  double top = 0, width = 0, height = 0;
};

std::string opening(const Figure& figure, const Layout& layout) {
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " +
                    fixed(layout.width) + " " + fixed(layout.height) + "\"" +
                    attribute("width", layout.width) + attribute("height", layout.height) +
                    " role=\"img\" aria-labelledby=\"title description\">\n";
  out += "<title id=\"title\">" + kit::xml(figure.title) + "</title>\n";
  out += "<desc id=\"description\">" + kit::xml(figure.description) + "</desc>\n" + style();
  out += "<rect x=\"0.5\" y=\"0.5\"" + attribute("width", layout.width - 1) +
         attribute("height", layout.height - 1) + " rx=\"10\" class=\"card\"/>\n";
  out += text_at(card_margin, 36, "title", figure.title);
  out += text_at(card_margin, 56, "subtitle", figure.subtitle);
  return layout.alone ? out : out + legend(figure, card_margin, header_height);
}

}  // namespace

std::vector<double> pleasant_ticks(double low, double high, bool logarithmic) {
  if (logarithmic) return logarithmic_ticks(low, high);
  const double power = std::pow(10, std::floor(std::log10(high / 4)));
  double step = power;
  for (const double factor : {2.0, 5.0, 10.0})
    if (high / (power * factor) > 3) step = power * factor;
  std::vector<double> ticks{0};
  while (ticks.back() < high) ticks.push_back(static_cast<double>(ticks.size()) * step);
  return ticks;
}

// Places that want to be too close to each other become one block, which stands where its members
// want to be on average, and within the edges.
std::vector<double> spread_out(std::vector<double> places, double gap, double low, double high) {
  struct Block {
    double wishes = 0;  // of the members, each less its place within the block; the sum
    double count = 0;
  };
  const auto begin = [&](const Block& block) {
    const double last = std::max(low, high - (block.count - 1) * gap);
    return std::clamp(block.wishes / block.count, low, last);
  };
  std::vector<std::size_t> order(places.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return places[a] < places[b]; });
  std::vector<Block> blocks;
  for (const std::size_t i : order) {
    Block block{places[i], 1};
    while (!blocks.empty() && begin(block) < begin(blocks.back()) + blocks.back().count * gap) {
      const Block before = blocks.back();
      block = {before.wishes + block.wishes - block.count * before.count * gap,
               before.count + block.count};
      blocks.pop_back();
    }
    blocks.push_back(block);
  }
  std::size_t next = 0;
  for (const Block& block : blocks)
    for (double i = 0; i < block.count; ++i) places[order[next++]] = begin(block) + i * gap;
  return places;
}

std::string draw(const Figure& figure) {
  const Layout layout(figure);
  std::string out = opening(figure, layout);
  for (std::size_t i = 0; i < figure.panels.size(); ++i)
    out += PanelPicture(figure.panels[i], layout.frame(static_cast<int>(i))).svg();
  return out + text_at(card_margin, layout.height - 12, "quiet small", figure.footer) + "</svg>\n";
}

}  // namespace kit::bench
