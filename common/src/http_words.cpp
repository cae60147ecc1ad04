#include <socketserver/connection.hpp>
#include <socketserver/http_words.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace socketserver {
namespace {

// ---- tables ------------------------------------------------------------------------------------

struct Status {
  int code;
  std::string_view phrase;
  std::string_view explanation;
};

constexpr Status statuses[] = {
    {100, "Continue", "Go on and send the content"},
    {200, "OK", "Request fulfilled, document follows"},
    {201, "Created", "Document created"},
    {204, "No Content", "Request fulfilled, nothing follows"},
    {206, "Partial Content", "Partial content follows"},
    {301, "Moved Permanently", "See the address in Location"},
    {304, "Not Modified", "The document has not changed since the given time"},
    {400, "Bad Request", "Bad request syntax or unsupported method"},
    {403, "Forbidden", "Request forbidden"},
    {404, "Not Found", "Nothing matches the given address"},
    {405, "Method Not Allowed", "The method is not allowed for this resource"},
    {408, "Request Timeout", "The request did not come in time"},
    {411, "Length Required", "The client must say how long the content is"},
    {412, "Precondition Failed", "The document is not the one that the client knows"},
    {413, "Content Too Large", "The content is larger than this server takes"},
    {414, "URI Too Long", "The request line is longer than this server reads"},
    {416, "Range Not Satisfiable", "Nothing of the range is in the document"},
    {417, "Expectation Failed", "The expectation cannot be met"},
    {431, "Request Header Fields Too Large", "The fields are longer than this server reads"},
    {500, "Internal Server Error", "The server got itself in trouble"},
    {501, "Not Implemented", "The server does not support this operation"},
    {503, "Service Unavailable", "The server cannot do this just now"},
    {505, "HTTP Version Not Supported", "The server speaks HTTP/1.1 and HTTP/1.0"},
};

const Status* find_status(int code) noexcept {
  const auto* const found = std::find_if(std::begin(statuses), std::end(statuses),
                                         [code](const Status& one) { return one.code == code; });
  return found == std::end(statuses) ? nullptr : found;
}

struct Type {
  std::string_view extension;
  std::string_view media_type;
};

constexpr Type types[] = {
    {"css", "text/css"},        {"gif", "image/gif"},         {"htm", "text/html"},
    {"html", "text/html"},      {"ico", "image/x-icon"},      {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},      {"js", "text/javascript"},    {"json", "application/json"},
    {"md", "text/markdown"},    {"mp3", "audio/mpeg"},        {"mp4", "video/mp4"},
    {"pdf", "application/pdf"}, {"png", "image/png"},         {"svg", "image/svg+xml"},
    {"txt", "text/plain"},      {"wasm", "application/wasm"}, {"webm", "video/webm"},
    {"webp", "image/webp"},     {"woff2", "font/woff2"},      {"xml", "text/xml"},
};

constexpr std::array<std::string_view, 7> day_names = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> long_day_names = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// ---- reading a date ----------------------------------------------------------------------------

// A text that is taken apart from the left. What does not fit makes it bad for good.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  Scanner& literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) return fail();
    rest_.remove_prefix(expected.size());
    return *this;
  }

  // One of these names; its place in the table.
  int name(std::span<const std::string_view> table) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (!rest_.starts_with(table[i])) continue;
      rest_.remove_prefix(table[i].size());
      return static_cast<int>(i);
    }
    fail();
    return 0;
  }

  // Exactly so many digits. The first may be a space where the form says so.
  int number(std::size_t width, bool space_for_zero = false) {
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const char digit = rest_.empty() ? '\0' : rest_.front();
      const bool space = space_for_zero && i == 0 && digit == ' ';
      if (!space && (digit < '0' || digit > '9')) {
        fail();
        return 0;
      }
      value = value * 10 + (space ? 0 : digit - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  bool ended_well() const { return good_ && rest_.empty(); }

 private:
  Scanner& fail() {
    good_ = false;
    rest_ = {};
    return *this;
  }

  std::string_view rest_;
  bool good_ = true;
};

struct Moment {
  int year = 0;
  int month = 0;  // 0 is January
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

void read_time(Scanner& scanner, Moment& moment) {
  moment.hour = scanner.number(2);
  moment.minute = scanner.literal(":").number(2);
  moment.second = scanner.literal(":").number(2);
}

std::optional<Moment> read_imf_fixdate(std::string_view text) {
  Scanner scanner(text);
  Moment moment;
  (void)scanner.name(day_names);
  moment.day = scanner.literal(", ").number(2);
  moment.month = scanner.literal(" ").name(month_names);
  moment.year = scanner.literal(" ").number(4);
  read_time(scanner.literal(" "), moment);
  return scanner.literal(" GMT").ended_well() ? std::optional(moment) : std::nullopt;
}

// Two digits of a year: what would be more than 50 years ahead is in the past. RFC 9110, 5.6.7
int full_year(int two_digits) {
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  const int this_year = static_cast<int>(std::chrono::year_month_day(today).year());
  const int year = this_year - this_year % 100 + two_digits;
  if (year > this_year + 50) return year - 100;
  if (year <= this_year - 50) return year + 100;
  return year;
}

std::optional<Moment> read_rfc850(std::string_view text) {
  Scanner scanner(text);
  Moment moment;
  (void)scanner.name(long_day_names);
  moment.day = scanner.literal(", ").number(2);
  moment.month = scanner.literal("-").name(month_names);
  moment.year = full_year(scanner.literal("-").number(2));
  read_time(scanner.literal(" "), moment);
  return scanner.literal(" GMT").ended_well() ? std::optional(moment) : std::nullopt;
}

std::optional<Moment> read_asctime(std::string_view text) {
  Scanner scanner(text);
  Moment moment;
  (void)scanner.name(day_names);
  moment.month = scanner.literal(" ").name(month_names);
  moment.day = scanner.literal(" ").number(2, true);
  read_time(scanner.literal(" "), moment);
  moment.year = scanner.literal(" ").number(4);
  return scanner.ended_well() ? std::optional(moment) : std::nullopt;
}

// 60 is a leap second.
std::optional<std::chrono::sys_seconds> time_of(const Moment& moment) {
  using namespace std::chrono;
  const year_month_day date{year(moment.year), month(static_cast<unsigned>(moment.month) + 1),
                            day(static_cast<unsigned>(moment.day))};
  if (!date.ok() || moment.hour > 23 || moment.minute > 59 || moment.second > 60) return {};
  return sys_days(date) + hours(moment.hour) + minutes(moment.minute) + seconds(moment.second);
}

void append_number(std::string& text, int value, int width) {
  const std::string digits = std::to_string(value);
  text.append(static_cast<std::size_t>(std::max(0, width - static_cast<int>(digits.size()))), '0');
  text += digits;
}

// ---- bytes -------------------------------------------------------------------------------------

bool is_unreserved(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

int hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view reason_phrase(int status) noexcept {
  const Status* const found = find_status(status);
  return found ? found->phrase : std::string_view();
}

std::string_view explanation(int status) noexcept {
  const Status* const found = find_status(status);
  return found ? found->explanation : std::string_view();
}

std::string_view content_type(std::string_view file_name) noexcept {
  const std::size_t dot = file_name.rfind('.');
  const std::string_view extension =
      dot == file_name.npos ? std::string_view() : file_name.substr(dot + 1);
  for (const Type& type : types) {
    if (std::equal(extension.begin(), extension.end(), type.extension.begin(), type.extension.end(),
                   [](char left, char right) { return upper(left) == upper(right); })) {
      return type.media_type;
    }
  }
  return "application/octet-stream";
}

std::string http_date(std::chrono::sys_seconds time) {
  using namespace std::chrono;
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  std::string text(day_names[weekday(day).c_encoding()]);
  append_number(text += ", ", static_cast<int>(static_cast<unsigned>(date.day())), 2);
  text += ' ';
  text += month_names[static_cast<unsigned>(date.month()) - 1];
  append_number(text += ' ', static_cast<int>(date.year()), 4);
  append_number(text += ' ', static_cast<int>(clock.hours().count()), 2);
  append_number(text += ':', static_cast<int>(clock.minutes().count()), 2);
  append_number(text += ':', static_cast<int>(clock.seconds().count()), 2);
  return text += " GMT";
}

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
  std::optional<Moment> moment = read_imf_fixdate(text);
  if (!moment) moment = read_rfc850(text);
  if (!moment) moment = read_asctime(text);
  return moment ? time_of(*moment) : std::nullopt;
}

std::string html_escaped(std::string_view text) {
  std::string escaped;
  for (const char byte : text) {
    switch (byte) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#x27;";
        break;
      default:
        escaped += byte;
    }
  }
  return escaped;
}

std::string html_page(std::string_view title, std::string_view content) {
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>";
  page += html_escaped(title);
  page += "</title></head>\n<body><h1>";
  page += html_escaped(title);
  page += "</h1>\n";
  page += content;
  return page += "</body>\n</html>\n";
}

std::string percent_encoded(std::string_view path) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char byte : path) {
    if (is_unreserved(byte) || byte == '/') {
      encoded += byte;
    } else {
      const auto value = static_cast<unsigned char>(byte);
      encoded += {'%', digits[value >> 4], digits[value & 15]};
    }
  }
  return encoded;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return {};
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace socketserver
