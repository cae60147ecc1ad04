#include "units.hpp"

#include <cmath>
#include <cstddef>
#include <cstdio>

#include "harness/base/escape.hpp"

namespace kit::bench {
namespace {

std::string with_decimals(double number, int decimals) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", decimals, number);
  return text;
}

}  // namespace

std::string count_text(double number) {
  return with_commas(static_cast<std::size_t>(std::llround(number)));
}

std::string short_number(double number) {
  if (number == 0) return "0";
  const double size = std::fabs(number);
  if (size < 0.0995) return with_decimals(number, 3);
  if (size < 0.995) return with_decimals(number, 2);
  if (size < 9.95) {
    const std::string text = with_decimals(number, 1);
    return text.substr(text.size() - 2) == ".0" ? text.substr(0, text.size() - 2) : text;
  }
  return with_decimals(number, 0);
}

std::string rate_text(double number) {
  if (number < 995) return short_number(number);
  if (number < 995e3) return short_number(number / 1e3) + "k";
  return short_number(number / 1e6) + "M";
}

std::string time_text(double us) {
  if (us < 995) return short_number(us) + " µs";
  if (us < 995e3) return short_number(us / 1e3) + " ms";
  return short_number(us / 1e6) + " s";
}

std::string memory_text(double kib) {
  if (kib < 1000) return short_number(kib) + " KiB";
  if (kib < 1000 * 1024) return short_number(kib / 1024) + " MiB";
  return short_number(kib / 1024 / 1024) + " GiB";
}

std::string bytes_text(double bytes) {
  return bytes <= 1024 ? count_text(bytes) + " bytes" : memory_text(bytes / 1024);
}

}  // namespace kit::bench
