#pragma once

#include <functional>
#include <string>
#include <vector>

namespace kit::bench {

/// One measured point: what is drawn, and how far the rounds were apart.
struct Mark {
  double x = 0;
  double y = 0;
  double low = 0;  ///< equal to y if there was one round
  double high = 0;
};

/// One line of a chart.
struct Series {
  std::string id;     ///< decides colour and marker; an unknown one gets a colour of its own
  std::string label;  ///< stands at the line's end
  std::vector<Mark> marks;
};

/// How the numbers of an axis are laid out and written.
struct Axis {
  std::string title;
  bool logarithmic = false;
  std::vector<double> ticks;  ///< empty: chosen by the chart
  std::function<std::string(double)> text;
};

/// One plot.
struct Panel {
  std::string title;  ///< what the y axis measures, with its unit
  std::string hint;   ///< "lower is better"
  Axis x, y;
  std::vector<Series> series;
};

/// A picture: panels side by side, in rows of `columns`.
struct Figure {
  std::string title;
  std::string subtitle;
  std::string description;  ///< the text alternative
  std::string footer;       ///< where the numbers come from
  int columns = 1;
  std::vector<Panel> panels;
};

/// The picture as a self-contained SVG document, light or dark as the reader's system asks.
std::string draw(const Figure& figure);

/// Round numbers for an axis: from 0 to one that covers `high`, such as 0, 5, 10, 15; or, if
/// logarithmic, those between low and high, such as 1, 10, 100, or 1, 2, 5, 10 if that is too few.
std::vector<double> pleasant_ticks(double low, double high, bool logarithmic);

/// Moves places (sorted or not) apart so that neighbours are at least `gap` from each other and all
/// lie between low and high, each as near to where it wants to be as the others let it.
std::vector<double> spread_out(std::vector<double> places, double gap, double low, double high);

}  // namespace kit::bench
