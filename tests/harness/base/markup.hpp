#pragma once

// Text for those who read markup: a picture, a page, JUnit's XML, JSON. It comes from anywhere;
// what is made of it is well-formed whatever it holds.

#include <string>
#include <string_view>

namespace kit {

/// The text with whatever is no UTF-8, and every control character but newline and tab, replaced by
/// U+FFFD. So are U+FFFE and U+FFFF, which no XML may hold.
std::string valid_utf8(std::string_view bytes);

/// Text for XML and HTML, between two marks or two double quotes. What XML 1.0 (2.2) has no way to
/// write becomes U+FFFD; newlines and tabs stay, of which a reader of an attribute makes blanks.
std::string xml(std::string_view text);

}  // namespace kit
