#pragma once

// JSON, as much as grades need: read, and written in a stable order.

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kit {

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;  ///< in the order of writing

  Json() = default;
  Json(bool value) : value_(value) {}
  Json(double value) : value_(value) {}
  Json(int value) : value_(static_cast<double>(value)) {}
  Json(std::size_t value) : value_(static_cast<double>(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  // Out of line: where GCC 14 sees through them, it takes the members of the variant that are not
  // in use for uninitialised ones.
  Json(const Json&);
  Json(Json&&) noexcept;
  Json& operator=(const Json&);
  Json& operator=(Json&&) noexcept;
  ~Json();

  /// Reads a text. Throws std::runtime_error that says where it is wrong.
  static Json parse(std::string_view text);

  /// The text; on one line if `indented` is false. Bytes that are no UTF-8 become U+FFFD.
  [[nodiscard]] std::string text(bool indented = true) const;

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  /// What it holds; std::runtime_error if it holds something else.
  [[nodiscard]] bool boolean() const { return get<bool>(); }
  [[nodiscard]] double number() const { return get<double>(); }
  [[nodiscard]] const std::string& string() const { return get<std::string>(); }
  [[nodiscard]] const Array& array() const { return get<Array>(); }
  [[nodiscard]] const Object& object() const { return get<Object>(); }

  /// The member of this name; null if there is none.
  [[nodiscard]] const Json& operator[](std::string_view name) const;
  [[nodiscard]] const Json& operator[](std::size_t index) const { return array().at(index); }
  [[nodiscard]] bool has(std::string_view name) const { return !(*this)[name].is_null(); }

 private:
  template <typename Kind>
  const Kind& get() const {
    if (const Kind* value = std::get_if<Kind>(&value_)) return *value;
    throw std::runtime_error("a JSON value is not of the kind that is expected");
  }
  void write(std::string& out, std::size_t depth, bool indented) const;

  std::variant<std::nullptr_t, bool, double, std::string, Array, Object> value_ = nullptr;
};

/// 8 -> "8", 7.5 -> "7.5", 1/3 -> "0.333".
std::string number_text(double number);

}  // namespace kit
