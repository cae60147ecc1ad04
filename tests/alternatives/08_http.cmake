# Right answers to lesson 08, written differently: every step must accept them. The form of an answer:
# tests/cmake/mutants.cmake. A file of which little remains stands whole in 08_http/.

kit_answer(
  NAME byte-by-byte
  SENTENCE "The head of a request is read byte by byte, by a machine of states."
  FILE http_message.cpp
  REPLACE [[#include <algorithm>]]
  WITH [[#include <algorithm>
#include <string>
#include <utility>]]
  REPLACE [[// A space before the colon, or a line that goes on in the next, is read in two ways by two
]]
  THROUGH [[    throw HttpError(400, "a header field has a control character in it");
  }]]
  WITH [[// Byte by byte: a name, a colon, spaces, a value, and perhaps spaces.
void add_field(HeaderFields& fields, std::string_view line) {
  enum class At { name, space, value } at = At::name;
  std::string name, value, spaces;
  for (const char byte : line) {
    if (at == At::name) {
      if (byte != ':') {
        name += byte;
      } else {
        at = At::space;
      }
      continue;
    }
    if (!is_field_byte(byte)) throw HttpError(400, "a header field has a control character in it");
    if (byte == ' ' || byte == '\t') {
      if (at == At::value) spaces += byte;
      continue;
    }
    at = At::value;
    value += spaces + byte;
    spaces.clear();
  }
  if (at == At::name) throw HttpError(400, "a header field has no colon");
  if (!is_token(name)) throw HttpError(400, "a header field's name is not a token");]]
  REPLACE [[// Two single spaces, and no other. More is read differently by different programs. RFC 9112, 3
]]
  THROUGH [[  head_.method = method;]]
  WITH [[// Byte by byte, into three words.
void HeadParser::take_request_line(std::string_view line) {
  std::string words[3];
  std::size_t at = 0;
  for (const char byte : line) {
    if (byte != ' ') {
      words[at] += byte;
    } else if (words[at].empty() || ++at == 3) {
      throw HttpError(400, "a request line has two single spaces");
    }
  }
  if (at != 2 || words[2].empty()) throw HttpError(400, "a request line has three words");
  for (const char byte : words[1]) {
    if (!is_target_byte(byte)) throw HttpError(400, "the target has a byte that it must not have");
  }
  if (!is_token(words[0])) throw HttpError(400, "the method is not a token");
  head_.minor = minor_of(words[2]);
  head_.method = std::move(words[0]);
  head_.target = std::move(words[1]);]])

kit_answer(
  NAME content-read-away
  SENTENCE "Content that nobody asked for is read away, and the connection is kept."
  FILE http_server.cpp
  REPLACE [[// Content that was not read stands where the next request would be looked for.
void BaseHTTPRequestHandler::end_headers() {]]
  WITH [[// Content that was not read is read away: it would stand where the next request is looked for. From
// one who still waits to be told to go on none comes.
void BaseHTTPRequestHandler::end_headers() {
  try {
    while (may_keep_ && !expects_continue_ && !read_content().empty()) {
    }
  } catch (const HttpError&) {
    may_keep_ = false;
  } catch (const CutOff&) {
    may_keep_ = false;
  }]]
  FILE http_session.cpp
  REPLACE [[  if (!wants_content(head)) return reply(answer(head, {}), out, true);]]
  WITH [[  if (expects_continue && !wants_content(head)) return reply(answer(head, {}), out, true);]])

kit_answer(
  NAME decodes-each-name
  SENTENCE "The path is taken apart first, and then each of its names is decoded."
  FILE http_folder.cpp
  REPLACE [[TargetPath path_of(std::string_view target) {]]
  WITH [[// Taken apart first, and each name decoded by itself: one that has a slash in it then is no name.
TargetPath path_of(std::string_view target) {]]
  REPLACE [[  const std::optional<std::string> decoded = percent_decoded(target.substr(0, question));
]]
  THROUGH [[    rest.remove_prefix(last.size());]]
  WITH [[  std::string_view rest = target.substr(0, question);
  if (!rest.empty() && rest.front() != '/') throw HttpError(400, "the target has no slash");
  std::string last;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view encoded = rest.substr(0, rest.find('/'));
    const std::optional<std::string> name = percent_decoded(encoded);
    if (!name || name->find('\0') != name->npos) throw HttpError(400, "the target is no name");
    if (name->find('/') != name->npos) throw HttpError(404, "no name has a slash in it");
    last = *name;
    step(path.names, last);
    rest.remove_prefix(encoded.size());]])

kit_answer(
  NAME entity-tags
  SENTENCE "Each file has an entity tag, which If-None-Match and If-Match look at."
  FILE http_folder.cpp
  REPLACE [[bool precondition_failed(const HeaderFields& fields, std::chrono::sys_seconds modified) {
  if (fields.count("If-Match") > 0) return fields.get("If-Match") != "*";]]
  WITH [[bool names(const HeaderFields& fields, const char* field, const std::string& tag) {
  return fields.get(field) == "*" || fields.lists(field, tag);
}

bool precondition_failed(const HeaderFields& fields, std::chrono::sys_seconds modified,
                         const std::string& tag) {
  if (fields.count("If-Match") > 0) return !names(fields, "If-Match", tag);]]
  REPLACE [[bool not_modified(const HeaderFields& fields, std::chrono::sys_seconds modified) {
  if (fields.count("If-None-Match") > 0) return fields.get("If-None-Match") == "*";]]
  WITH [[bool not_modified(const HeaderFields& fields, std::chrono::sys_seconds modified,
                  const std::string& tag) {
  if (fields.count("If-None-Match") > 0) return names(fields, "If-None-Match", tag);]]
  REPLACE [[bool range_applies(const RequestHead& head, std::chrono::sys_seconds modified) {]]
  WITH [[bool range_applies(const RequestHead& head, std::chrono::sys_seconds modified,
                   const std::string& tag) {
  if (head.fields.get("If-Range") == tag)
    return head.method == "GET" && head.fields.count("Range") == 1;]]
  REPLACE [[  if (precondition_failed(head.fields, modified)) return error_response(412);
  HttpResponse response;
  response.fields.add("Last-Modified", http_date(modified));
  if (not_modified(head.fields, modified)) {]]
  WITH [[  const std::string tag = "\"" + std::to_string(status.st_ino) + "-" +
                          std::to_string(status.st_size) + "-" + std::to_string(status.st_mtime) +
                          "\"";
  if (precondition_failed(head.fields, modified, tag)) return error_response(412);
  HttpResponse response;
  response.fields.add("ETag", tag);
  response.fields.add("Last-Modified", http_date(modified));
  if (not_modified(head.fields, modified, tag)) {]]
  REPLACE [[  if (range_applies(head, modified)) narrow(response, *head.fields.get("Range"));]]
  WITH [[  if (range_applies(head, modified, tag)) narrow(response, *head.fields.get("Range"));]])

kit_answer(
  NAME equal-lengths-are-one
  SENTENCE "Content-Lengths that all say the same are taken for one."
  FILE http_body.cpp
  REPLACE [[  const std::size_t lengths = fields.count("Content-Length");
  if (lengths > 1) throw HttpError(400, "there is more than one Content-Length");
  if (lengths == 0) return;
  left_ = number_of(*fields.get("Content-Length"), 10, "Content-Length");]]
  WITH [[  if (fields.count("Content-Length") == 0) return;
  const std::vector<std::string_view> lengths = fields.list("Content-Length");
  if (lengths.empty()) throw HttpError(400, "Content-Length is empty");
  for (const std::string_view length :
       lengths) {  // the same, again and again, is one. RFC 9110, 8.6
    if (length != lengths.front()) throw HttpError(400, "Content-Length: which of them is right?");
  }
  left_ = number_of(lengths.front(), 10, "Content-Length");]])

kit_answer(
  NAME half-a-request-refused
  SENTENCE "Half a request before the end of file is answered with 400."
  FILE http_server.cpp
  REPLACE [[    close_connection_ = true;  // nobody has asked to the end: nobody gets an answer]]
  WITH [[    close_connection_ = true;
    may_keep_ = false;
    if (!answered_) send_error(400, "the content has no end");]]
  REPLACE [[    return false;]]
  WITH [[    if (!parser.begun()) return false;
    head_ = parser.head();
    throw HttpError(400, "the request has no end");]])

kit_answer(
  NAME keep-alive-said-to-all
  SENTENCE "\"Connection: keep-alive\" is said to clients of HTTP/1.1 as well."
  FILE http_answer.cpp
  REPLACE [[  if (kept && request.minor == 0) add("Connection", "keep-alive");]]
  WITH [[  if (kept) add("Connection", "keep-alive");]])

kit_answer(
  NAME lone-newlines
  SENTENCE "A newline without a carriage return ends a line, too."
  FILE http_message.cpp
  REPLACE [[  return std::min(version[7] - '0', 1);]]
  WITH [[  return std::min(version[7] - '0', 1);
}

// A lone LF ends a line of a head, too, and is taken for that everywhere. RFC 9112, 2.2
std::string_view without_any_line_end(std::string_view line) {
  line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;]]
  REPLACE [[  const std::string_view line = without_line_end(whole_line);]]
  WITH [[  const std::string_view line = without_any_line_end(whole_line);]])

kit_answer(
  NAME openat2
  SENTENCE "openat2() finds a path below the folder in one call (RESOLVE_BENEATH)."
  FILE http_folder.cpp
  REPLACE [[#include <sys/stat.h>]]
  WITH [[#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>]]
  REPLACE [[FileDescriptor open_in(int folder, const char* name, int more_flags = 0) {
]]
  THROUGH [[  return at;]]
  WITH [[// The kernel sees to it that nothing leads out of the folder. openat2(2)
FileDescriptor open_below(int top, const std::vector<std::string>& names) {
  std::string path = ".";
  for (const std::string& name : names) path += "/" + name;
  open_how how{};
  how.flags = static_cast<std::uint64_t>(open_flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd;
  do {
    fd = ::syscall(SYS_openat2, top, path.c_str(), &how, sizeof how);
  } while (fd == -1 && (errno == EINTR || errno == EAGAIN));
  return FileDescriptor(static_cast<int>(fd));]])

kit_answer(
  NAME ranges-by-hand
  SENTENCE "The Range field is read byte by byte, without from_chars()."
  WHOLE http_range.cpp)

kit_answer(
  NAME sendfile
  SENTENCE "sendfile() hands the bytes of a file from the kernel to the kernel."
  FILE http_server.cpp
  REPLACE [[#include <socketserver/http_words.hpp>]]
  WITH [[#include <sys/sendfile.h>
#include <socketserver/http_words.hpp>]]
  REPLACE [[

#include <algorithm>]]
  WITH [[#include <socketserver/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>]]
  REPLACE [[constexpr const char* too_late = "the request did not come in time";]]
  WITH [[constexpr const char* too_late = "the request did not come in time";

// From file to socket, without a copy in this process. sendfile(2) raises SIGPIPE, and has no flag
// against it.
void send_file(int connection, StreamWriter& wfile, FileSlice& file) {
  wfile.flush();
  auto offset = static_cast<off_t>(file.offset);
  while (file.size > 0) {
    const std::size_t most = std::min<std::uint64_t>(file.size, 1 << 30);
    const ssize_t count = ::sendfile(connection, file.file.get(), &offset, most);
    if (count == -1 && errno == EINTR) continue;
    if (count == -1) throw_system_error("sendfile");
    if (count == 0) throw std::runtime_error("the file has become shorter meanwhile");
    file.size -= static_cast<std::uint64_t>(count);
  }
}]]
  REPLACE [[void BaseHTTPRequestHandler::setup() {]]
  WITH [[void BaseHTTPRequestHandler::setup() {
  std::signal(SIGPIPE, SIG_IGN);]]
  REPLACE [[    while (response.file->size > 0) wfile().write(response.file->next(piece_size));
    return;]]
  WITH [[    return send_file(request().fileno(), wfile(), *response.file);]])

kit_answer(
  NAME where-is-it-really
  SENTENCE "Where the opened file lies is asked of /proc, and compared with where the folder lies."
  FILE http_folder.cpp
  REPLACE [[#include <sys/stat.h>]]
  WITH [[#include <sys/stat.h>
#include <unistd.h>]]
  REPLACE [[FileDescriptor open_in(int folder, const char* name, int more_flags = 0) {
]]
  THROUGH [[  return at;]]
  WITH [[std::string where(int fd) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string();
}

// Opened first, and then asked where that was: a link anywhere in the path leads elsewhere.
FileDescriptor open_below(int top, const std::vector<std::string>& names) {
  std::string path;
  for (const std::string& name : names) path += "/" + name;
  int fd;
  do {
    fd = ::openat(top, ("." + path).c_str(), open_flags);
  } while (fd == -1 && errno == EINTR);
  FileDescriptor found(fd);
  if (found && where(fd) != where(top) + path) {
    found.reset();
    errno = ENOENT;
  }
  return found;]])
