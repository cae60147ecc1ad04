#pragma once

/// @file
/// The vocabulary of HTTP that is looked up and not invented: what a status is called, what kind of
/// content a file is, how a date is written, and how text is made harmless in a page or a path.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace socketserver {

/// What a status code is called: "Not Found" for 404; empty for one that is not known.
/// RFC 9110, 15.
/// Python's `http.HTTPStatus.phrase`.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// What a status code means, in a sentence for the page that a person sees; may be empty. Python's
/// `BaseHTTPRequestHandler.responses`.
[[nodiscard]] std::string_view explanation(int status) noexcept;

/// Whether an answer with this status never has content: 1xx, 204 and 304. RFC 9110, 6.4.1.
[[nodiscard]] constexpr bool never_has_content(int status) noexcept {
  return status < 200 || status == 204 || status == 304;
}

/// The media type for the name of a file, by what stands behind its last dot:
/// "image/png" for "cat.PNG"; "application/octet-stream" for what is not known. Python's
/// `SimpleHTTPRequestHandler.guess_type`.
[[nodiscard]] std::string_view content_type(std::string_view file_name) noexcept;

/// A date as HTTP writes it, whatever the locale: "Sun, 06 Nov 1994 08:49:37 GMT". RFC 9110, 5.6.7.
[[nodiscard]] std::string http_date(std::chrono::sys_seconds time);

/// Reads a date in any of the three forms that a recipient must accept: the one that http_date()
/// writes, "Sunday, 06-Nov-94 08:49:37 GMT", and "Sun Nov  6 08:49:37 1994".
/// @returns no value for anything else
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

/// `text` for the inside of an HTML page: & < > " and ' are written as references. Python's
/// `html.escape`.
[[nodiscard]] std::string html_escaped(std::string_view text);

/// A page for a person.
/// @param title    a text; it is escaped
/// @param content  HTML, below the title
[[nodiscard]] std::string html_page(std::string_view title, std::string_view content);

/// `path` for a URL: each byte that is not a letter, a digit, or one of "-._~/" is written as
/// "%41". RFC 3986, 2. Python's `urllib.parse.quote`.
[[nodiscard]] std::string percent_encoded(std::string_view path);

/// The bytes that a percent-encoded text stands for, decoded once. RFC 3986, 2.1 and 2.4.
/// @returns no value if a "%" is not followed by two hexadecimal digits
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace socketserver
