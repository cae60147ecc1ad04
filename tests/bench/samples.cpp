#include "samples.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace kit::bench {
namespace {

double nth(std::vector<double>& samples, std::size_t n) {
  const auto place = samples.begin() + static_cast<std::ptrdiff_t>(n);
  std::nth_element(samples.begin(), place, samples.end());
  return *place;
}

}  // namespace

double percentile(std::vector<double> samples, double share) {
  if (samples.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double rank = std::ceil(share * static_cast<double>(samples.size()));
  const double last = static_cast<double>(samples.size()) - 1;
  return nth(samples, static_cast<std::size_t>(std::clamp(rank - 1, 0.0, last)));
}

double median(std::vector<double> samples) {
  if (samples.empty()) return std::numeric_limits<double>::quiet_NaN();
  const std::size_t middle = samples.size() / 2;
  const double upper = nth(samples, middle);
  if (samples.size() % 2 == 1) return upper;
  return (nth(samples, middle - 1) + upper) / 2;
}

}  // namespace kit::bench
