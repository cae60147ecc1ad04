#pragma once

#include <vector>

namespace kit::bench {

/// The smallest sample that at least the fraction `share` (0 to 1) of all samples do not exceed:
/// nearest rank, so always a time that was really measured. NaN without samples.
double percentile(std::vector<double> samples, double share);

/// The middle one, or the mean of the two in the middle. NaN without samples.
double median(std::vector<double> samples);

}  // namespace kit::bench
