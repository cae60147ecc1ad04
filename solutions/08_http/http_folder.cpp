// Files for GET and HEAD, and never one outside the folder.
// The contracts: http_folder.hpp, http_path.hpp. See also: openat(2), O_NOFOLLOW; fstat(2);
// RFC 3986, 5.2.4; RFC 9110, 13 and 14.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <socketserver/http_folder.hpp>
#include <socketserver/http_path.hpp>
#include <socketserver/http_range.hpp>
#include <socketserver/http_words.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace socketserver {
namespace {

// ---- a path ------------------------------------------------------------------------------------

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

// ---- opening -----------------------------------------------------------------------------------

// Without O_NONBLOCK, to open a FIFO would be to wait for whoever writes to it. For a file it means
// nothing.
constexpr int open_flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

FileDescriptor open_in(int folder, const char* name, int more_flags = 0) {
  int fd;
  do {
    fd = ::openat(folder, name, open_flags | more_flags);
  } while (fd == -1 && errno == EINTR);
  return FileDescriptor(fd);
}

// Step by step: O_NOFOLLOW looks at the last name of a path alone. Empty, with errno, if it is not
// there. A name has no slash in it, and is neither "." nor "..".
FileDescriptor open_below(int top, const std::vector<std::string>& names) {
  if (names.empty()) return open_in(top, ".", O_DIRECTORY);
  FileDescriptor at;
  for (const std::string& name : names) {
    const bool last = &name == &names.back();
    at = open_in(at ? at.get() : top, name.c_str(), last ? 0 : O_DIRECTORY);
    if (!at) break;
  }
  return at;
}

// A server that cannot open one file more must not say that there is none.
HttpResponse not_opened(int error) {
  const bool passes = error == EMFILE || error == ENFILE || error == ENOMEM;
  return error_response(passes ? 503 : 404);
}

// ---- conditions --------------------------------------------------------------------------------

// No value if there is none, or more than one.
std::optional<std::chrono::sys_seconds> date_in(const HeaderFields& fields, const char* name) {
  return fields.count(name) == 1 ? parse_http_date(*fields.get(name)) : std::nullopt;
}

// No file has a tag here: of the tags that a client names none is right, and "*" is any of them. A
// tag has precedence over a date. The order of all conditions: RFC 9110, 13.2.2
bool precondition_failed(const HeaderFields& fields, std::chrono::sys_seconds modified) {
  if (fields.count("If-Match") > 0) return fields.get("If-Match") != "*";
  const auto known = date_in(fields, "If-Unmodified-Since");
  return known && modified > *known;
}

bool not_modified(const HeaderFields& fields, std::chrono::sys_seconds modified) {
  if (fields.count("If-None-Match") > 0) return fields.get("If-None-Match") == "*";
  const auto known = date_in(fields, "If-Modified-Since");
  return known && modified <= *known;
}

// If-Range: the part, if the client's other parts are of the same file; otherwise all of it. Two
// changes within one second have one date: to be sure takes a tag. RFC 9110, 8.8.2.2 and 13.1.5
bool range_applies(const RequestHead& head, std::chrono::sys_seconds modified) {
  if (head.method != "GET" || head.fields.count("Range") != 1) return false;
  return head.fields.count("If-Range") == 0 || date_in(head.fields, "If-Range") == modified;
}

// ---- one file ----------------------------------------------------------------------------------

// A date to come would be taken for newer than every change until then. RFC 9110, 8.8.2.1
std::chrono::sys_seconds modified_at(const struct stat& status) {
  const std::chrono::sys_seconds modified{std::chrono::seconds(status.st_mtime)};
  const auto now = std::chrono::system_clock::now();
  return std::min(modified, std::chrono::floor<std::chrono::seconds>(now));
}

void narrow(HttpResponse& response, std::string_view range_text) {
  const std::uint64_t size = response.file->size;
  const RangeAnswer answer = range_of(range_text, size);
  if (answer.kind == RangeAnswer::Kind::whole) return;
  if (answer.kind == RangeAnswer::Kind::unsatisfiable) {
    response = error_response(416);
    response.fields.add("Content-Range", "bytes */" + std::to_string(size));
    return;
  }
  response.status = 206;
  response.fields.add("Content-Range", content_range(answer.range, size));
  response.file->offset = answer.range.first;
  response.file->size = answer.range.size;
}

// The size is that of the open file: between a look at a name and its opening, another file may get
// the name.
HttpResponse file_response(FileDescriptor file, const struct stat& status, std::string_view name,
                           const RequestHead& head) {
  const std::chrono::sys_seconds modified = modified_at(status);
  if (precondition_failed(head.fields, modified)) return error_response(412);
  HttpResponse response;
  response.fields.add("Last-Modified", http_date(modified));
  if (not_modified(head.fields, modified)) {
    response.status = 304;
    return response;
  }
  response.fields.add("Content-Type", content_type(name));
  response.fields.add("Accept-Ranges", "bytes");
  response.file = FileSlice{std::move(file), 0, static_cast<std::uint64_t>(status.st_size)};
  if (range_applies(head, modified)) narrow(response, *head.fields.get("Range"));
  return response;
}

// ---- a folder ----------------------------------------------------------------------------------

std::vector<std::string> names_in(FileDescriptor folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(folder.get()), ::closedir);
  if (!entries) throw_system_error("fdopendir");
  (void)folder.release();  // closedir closes it
  std::vector<std::string> names;
  while (const dirent* const entry = ::readdir(entries.get())) {
    std::string name = entry->d_name;
    struct stat status {};
    if (name == "." || name == "..") continue;
    const int at = ::dirfd(entries.get());
    if (::fstatat(at, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == -1) continue;  // gone again
    if (S_ISDIR(status.st_mode)) names.push_back(name + "/");
    if (S_ISREG(status.st_mode)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

// A name is whatever bytes its maker liked: it is made harmless for the link, and for the page.
HttpResponse list_folder(FileDescriptor folder, const TargetPath& path) {
  std::string list = "<ul>\n";
  for (const std::string& name : names_in(std::move(folder))) {
    list += "<li><a href=\"" + percent_encoded(name) + "\">" + html_escaped(name) + "</a></li>\n";
  }
  HttpResponse response;
  response.fields.add("Content-Type", "text/html;charset=utf-8");
  response.body = html_page("Directory listing for " + path.decoded(), list + "</ul>\n");
  return response;
}

// To the name with a slash: without it, the page's own links would lead to the folder above.
HttpResponse redirect_to_folder(TargetPath path) {
  path.ends_in_slash = true;
  HttpResponse response = error_response(301);
  response.fields.add("Location", path.encoded() + (path.query.empty() ? "" : "?" + path.query));
  return response;
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

Folder::Folder(const std::string& path)
    : top_(check(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open")) {}

HttpResponse Folder::answer(const RequestHead& head) const {
  const TargetPath path = path_of(head.target);
  FileDescriptor found = open_below(top_.get(), path.names);
  if (!found) return not_opened(errno);
  struct stat status {};
  check(::fstat(found.get(), &status), "fstat");
  if (S_ISDIR(status.st_mode)) return answer_folder(std::move(found), path, head);
  if (!S_ISREG(status.st_mode) || path.ends_in_slash) return error_response(404);
  return file_response(std::move(found), status, path.names.back(), head);
}

HttpResponse Folder::answer_folder(FileDescriptor folder, const TargetPath& path,
                                   const RequestHead& head) const {
  const std::string index = "index.html";
  if (!path.ends_in_slash) return redirect_to_folder(path);
  FileDescriptor page = open_below(folder.get(), {index});
  struct stat status {};
  if (page && ::fstat(page.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    return file_response(std::move(page), status, index, head);
  }
  return list_folder(std::move(folder), path);
}

}  // namespace socketserver
