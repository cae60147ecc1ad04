// From a target to names of files. The contract: http_path.hpp. See also: RFC 3986, 5.2.4.

#include <socketserver/http_message.hpp>
#include <socketserver/http_path.hpp>
#include <socketserver/http_words.hpp>

#include <algorithm>
#include <optional>

namespace socketserver {
namespace {

// What stands behind the host in the absolute form; "/" if nothing does.
std::string_view without_authority(std::string_view target) {
  constexpr std::string_view scheme = "http://";
  if (!same_word(target.substr(0, scheme.size()), scheme)) return target;
  target.remove_prefix(scheme.size());
  const std::size_t end = target.find_first_of("/?");
  if (end == 0) throw HttpError(400, "the target has no host");
  if (end == target.npos) return "/";
  return target.substr(end);
}

// A name, "." for here, ".." for up, or nothing between two slashes.
void step(std::vector<std::string>& names, std::string_view name) {
  if (name.empty() || name == ".") return;
  if (name != "..") {
    names.emplace_back(name);
  } else if (!names.empty()) {
    names.pop_back();
  }
}

}  // namespace

TargetPath path_of(std::string_view target) {
  target = without_authority(target);
  TargetPath path;
  const std::size_t question = std::min(target.find('?'), target.size());
  if (question < target.size()) path.query = target.substr(question + 1);
  const std::optional<std::string> decoded = percent_decoded(target.substr(0, question));
  if (!decoded) throw HttpError(400, "a % in the target is not followed by two digits");
  if (decoded->find('\0') != decoded->npos) throw HttpError(400, "the target has a NUL byte");
  if (!decoded->empty() && decoded->front() != '/') {
    throw HttpError(400, "the target must begin with a slash");
  }
  std::string_view rest = *decoded;
  std::string_view last;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the slash
    last = rest.substr(0, rest.find('/'));
    step(path.names, last);
    rest.remove_prefix(last.size());
  }
  path.ends_in_slash = last.empty() || last == "." || last == "..";
  return path;
}

std::string TargetPath::decoded() const {
  std::string text;
  for (const std::string& name : names) text += "/" + name;
  return ends_in_slash ? text + "/" : text;
}

std::string TargetPath::encoded() const {
  return percent_encoded(decoded());
}

}  // namespace socketserver
