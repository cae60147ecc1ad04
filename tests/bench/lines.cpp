#include "lines.hpp"

#include <array>
#include <cstring>

#include "harness/base/escape.hpp"
#include "harness/base/upper.hpp"

namespace kit::bench {
namespace {

constexpr std::size_t header_size = 12;  // four letters for the client, eight for the line
constexpr std::size_t filler_size = line_size - header_size - 1;
constexpr std::size_t phases = 32;

constexpr char filler_text[] =
    "a stream has no messages: 0123456789 \0 \xe4\xf6\xfc\xff Mixed Case, [brackets] and "
    "~tildes~; ";

// The filler once more behind itself, so that every client can begin somewhere else in it.
constexpr auto make_filler(bool answer) {
  std::array<char, filler_size + phases> text{};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = filler_text[i % (sizeof filler_text - 1)];
    text[i] = answer ? kit::upper(c) : c;
  }
  return text;
}

constexpr auto line_filler = make_filler(false);
constexpr auto answer_filler = make_filler(true);

// Sixteen letters from `base` on, so that upper-casing turns one form into the other.
void write_number(std::uint64_t value, int digits, char base, char* out) {
  for (int i = 0; i < digits; ++i) {
    out[i] = static_cast<char>(base + static_cast<char>(value & 15));
    value >>= 4;
  }
}

void write(std::uint32_t client, std::uint64_t number, char base,
           const std::array<char, filler_size + phases>& filler, char* out) {
  write_number(client, 4, base, out);
  write_number(number, 8, base, out + 4);
  std::memcpy(out + header_size, filler.data() + client % phases, filler_size);
  out[line_size - 1] = '\n';
}

}  // namespace

void write_line(std::uint32_t client, std::uint64_t number, char* out) {
  write(client, number, 'a', line_filler, out);
}

void write_answer(std::uint32_t client, std::uint64_t number, char* out) {
  write(client, number, 'A', answer_filler, out);
}

bool AnswerCheck::take(std::string_view bytes, std::uint64_t asked) {
  char answer[line_size];
  while (!bytes.empty()) {
    if (next_ == asked) {
      mistake_ = describe_mistake(next_, {}, bytes);
      return false;
    }
    write_answer(client_, next_, answer);
    const std::string_view expected(answer + part_, line_size - part_);
    const std::string_view got = bytes.substr(0, expected.size());
    if (expected.substr(0, got.size()) != got) {
      mistake_ = describe_mistake(next_, expected, got);
      return false;
    }
    bytes.remove_prefix(got.size());
    part_ = (part_ + got.size()) % line_size;
    if (part_ == 0) ++next_;
  }
  return true;
}

bool is_answer(std::string_view datagram, std::uint32_t client, std::uint64_t number) {
  char answer[line_size];
  write_answer(client, number, answer);
  return datagram == std::string_view(answer, line_size);
}

std::string describe_mistake(std::uint64_t number, std::string_view expected,
                             std::string_view got) {
  const std::string line = "line " + with_commas(number) + ": expected ";
  if (expected.empty()) return line + "nothing more, got " + kit::quoted(got);
  const Difference bytes = difference(expected, got);
  return line + bytes.expected + ", got " + bytes.got;
}

}  // namespace kit::bench
