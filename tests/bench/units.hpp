#pragma once

#include <string>

namespace kit::bench {

/// "7", "940", "1,000", "10,000": numbers that are counted.
std::string count_text(double number);

/// "850", "8.5k", "118k", "1.2M": rates.
std::string rate_text(double number);

/// "0.31 µs", "8.4 µs", "120 µs", "1.2 ms", "2.5 s".
std::string time_text(double us);

/// "0.2 KiB", "24 KiB", "3.4 MiB", "1.2 GiB".
std::string memory_text(double kib);

/// "1,000 bytes", "1 MiB": of a file.
std::string bytes_text(double bytes);

/// Two digits that matter: "0.31", "8.4", "25", "120".
std::string short_number(double number);

}  // namespace kit::bench
