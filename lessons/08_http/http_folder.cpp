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
#include <socketserver/not_written.hpp>
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

// ---- opening -----------------------------------------------------------------------------------

FileDescriptor open_below([[maybe_unused]] int top,
                          [[maybe_unused]] const std::vector<std::string>& names) {
  // TODO(08.D): open one name after the other, each from the folder before it, and follow no link.
  // Of no names it is the folder itself. Empty, with errno, if one is not there.
  not_written("08.D", "open_below");
}

// A server that cannot open one file more must not say that there is none.
[[maybe_unused]] HttpResponse not_opened(int error) {
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
[[maybe_unused]] bool precondition_failed(const HeaderFields& fields,
                                          std::chrono::sys_seconds modified) {
  if (fields.count("If-Match") > 0) return fields.get("If-Match") != "*";
  const auto known = date_in(fields, "If-Unmodified-Since");
  return known && modified > *known;
}

[[maybe_unused]] bool not_modified(const HeaderFields& fields,
                                   [[maybe_unused]] std::chrono::sys_seconds modified) {
  if (fields.count("If-None-Match") + fields.count("If-Modified-Since") == 0)
    return false;  // given
  // TODO(08.D): does the client have the file as it is? date_in() reads the date that it names.
  not_written("08.D", "not_modified");
}

// ---- one file ----------------------------------------------------------------------------------

// A date to come would be taken for newer than every change until then. RFC 9110, 8.8.2.1
[[maybe_unused]] std::chrono::sys_seconds modified_at(const struct stat& status) {
  const std::chrono::sys_seconds modified{std::chrono::seconds(status.st_mtime)};
  const auto now = std::chrono::system_clock::now();
  return std::min(modified, std::chrono::floor<std::chrono::seconds>(now));
}

[[maybe_unused]] void narrow(HttpResponse& response, std::string_view range_text) {
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

HttpResponse file_response([[maybe_unused]] FileDescriptor file,
                           [[maybe_unused]] const struct stat& status,
                           [[maybe_unused]] std::string_view name,
                           [[maybe_unused]] const RequestHead& head) {
  // TODO(08.D): 412 if precondition_failed(), 304 if not_modified(); otherwise the file: its type,
  // when it was changed, and as content a FileSlice of all of it.
  // In 08.J: narrow() it, if there is a Range, and If-Range lets it.
  not_written("08.D", "file_response");
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

TargetPath path_of([[maybe_unused]] std::string_view target) {
  // TODO(08.D): "http://host/a" is "/a"; what stands behind "?" is the query. Decode the rest,
  // once; take it apart; go up where ".." says so, but never above the top. HttpError 400 for what
  // names nothing.
  not_written("08.D", "path_of");
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

HttpResponse Folder::answer([[maybe_unused]] const RequestHead& head) const {
  // TODO(08.D): path_of() the target, open_below() top_, and fstat(): a folder, a file, or nothing
  // that is shown to anybody?
  not_written("08.D", "Folder::answer");
}

// Given.
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
