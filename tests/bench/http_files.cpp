#include "http_files.hpp"

#include <array>
#include <fstream>
#include <stdexcept>

#include "lines.hpp"

namespace kit::bench {

std::string http_content(std::size_t size) {
  std::string content;
  for (std::uint64_t number = 0; content.size() < size; ++number) {
    std::array<char, line_size> line;
    write_line(0, number, line.data());
    content.append(line.data(), line.size());
  }
  content.resize(size);
  return content;
}

std::string http_target(std::size_t size) {
  return "/file-" + std::to_string(size);
}

void write_http_file(const std::filesystem::path& folder, std::size_t size) {
  std::filesystem::create_directories(folder);
  const std::filesystem::path file = folder / http_target(size).substr(1);
  std::ofstream out(file, std::ios::binary);
  out << http_content(size) << std::flush;
  if (!out) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace kit::bench
