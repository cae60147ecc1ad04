#include "json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "harness/base/markup.hpp"

namespace kit {
namespace {

void write_string(std::string& out, const std::string& value) {
  out += '"';
  for (const char c : valid_utf8(value)) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += c;
    }
  }
  out += '"';
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Json document() {
    Json result = value(0);
    skip_space();
    if (at_ != text_.size()) fail("more behind the end");
    return result;
  }

 private:
  static constexpr int deepest = 100;

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error("JSON, byte " + std::to_string(at_) + ": " + what);
  }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
  }

  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  void need(std::string_view word) {
    skip_space();
    if (!take(word)) fail("expected " + std::string(word));
  }

  Json value(int depth) {
    if (depth > deepest) fail("too deep");
    skip_space();
    if (at_ == text_.size()) fail("ends too early");
    switch (text_[at_]) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
        return string();
      default:
        break;
    }
    if (take("true")) return true;
    if (take("false")) return false;
    if (take("null")) return {};
    const std::size_t length =
        std::min(text_.find_first_not_of("+-.eE0123456789", at_), text_.size()) - at_;
    const std::string digits(text_.substr(at_, length));
    char* end = nullptr;
    const double number = std::strtod(digits.c_str(), &end);
    if (digits.empty() || *end != '\0') fail("expected a value");
    at_ += length;
    return number;
  }

  Json object(int depth) {
    Json::Object members;
    need("{");
    skip_space();
    if (take("}")) return members;
    do {
      skip_space();
      std::string name = string();
      need(":");
      members.emplace_back(std::move(name), value(depth + 1));
      skip_space();
    } while (take(","));
    need("}");
    return members;
  }

  Json array(int depth) {
    Json::Array elements;
    need("[");
    skip_space();
    if (take("]")) return elements;
    do {
      elements.push_back(value(depth + 1));
      skip_space();
    } while (take(","));
    need("]");
    return elements;
  }

  unsigned hex4() {
    unsigned code = 0;
    if (text_.size() - at_ < 4) fail("ends too early");
    const auto result = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, code, 16);
    if (result.ptr != text_.data() + at_ + 4) fail("expected four hexadecimal digits");
    at_ += 4;
    return code;
  }

  static void append(std::string& out, std::uint32_t code) {
    const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
    if (code < 0x80) {
      byte(code);
    } else if (code < 0x800) {
      byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F));
    } else {
      byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F));
      byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F));
    }
  }

  void escape(std::string& out) {
    if (at_ == text_.size()) fail("ends too early");
    static constexpr std::string_view names = "\"\\/bfnrt";
    static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const char name = text_[at_++];
    if (const auto which = names.find(name); which != names.npos) {
      out += meanings[which];
      return;
    }
    if (name != 'u') fail("unknown escape");
    std::uint32_t code = hex4();
    if (code >= 0xD800 && code < 0xDC00 && take("\\u")) {
      code = 0x10000 + ((code - 0xD800) << 10) + (hex4() - 0xDC00);
    }
    append(out, code);
  }

  std::string string() {
    need("\"");
    std::string result;
    for (;;) {
      if (at_ == text_.size()) fail("ends too early");
      const char c = text_[at_++];
      if (c == '"') return result;
      if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a string");
      if (c == '\\') {
        escape(result);
      } else {
        result += c;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string number_text(double number) {
  if (!std::isfinite(number)) return "0";
  char text[40];
  std::snprintf(text, sizeof text, "%.3f", number);
  std::string result = text;
  while (result.ends_with('0')) result.pop_back();
  if (result.ends_with('.')) result.pop_back();
  return result == "-0" ? "0" : result;
}

Json::Json(const Json&) = default;
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(const Json&) = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

Json Json::parse(std::string_view text) {
  return Reader(text).document();
}

const Json& Json::operator[](std::string_view name) const {
  static const Json none;
  for (const auto& [key, value] : object()) {
    if (key == name) return value;
  }
  return none;
}

std::string Json::text(bool indented) const {
  std::string out;
  write(out, 0, indented);
  if (indented) out += '\n';
  return out;
}

void Json::write(std::string& out, std::size_t depth, bool indented) const {
  const auto new_line = [&](std::size_t deep) {
    if (indented) out += '\n' + std::string(2 * deep, ' ');
  };
  const auto write_all = [&](char open, const auto& parts, char close, const auto& write_one) {
    out += open;
    bool first = true;
    for (const auto& part : parts) {
      if (!first) out += ',';
      first = false;
      new_line(depth + 1);
      write_one(part);
    }
    if (!first) new_line(depth);
    out += close;
  };
  if (const auto* boolean = std::get_if<bool>(&value_)) {
    out += *boolean ? "true" : "false";
  } else if (const auto* number = std::get_if<double>(&value_)) {
    out += number_text(*number);
  } else if (const auto* string = std::get_if<std::string>(&value_)) {
    write_string(out, *string);
  } else if (const auto* array = std::get_if<Array>(&value_)) {
    write_all('[', *array, ']', [&](const Json& one) { one.write(out, depth + 1, indented); });
  } else if (const auto* object = std::get_if<Object>(&value_)) {
    write_all('{', *object, '}', [&](const auto& member) {
      write_string(out, member.first);
      out += indented ? ": " : ":";
      member.second.write(out, depth + 1, indented);
    });
  } else {
    out += "null";
  }
}

}  // namespace kit
