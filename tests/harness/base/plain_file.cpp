#include "plain_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "escape.hpp"

namespace kit {
namespace {

constexpr std::size_t part_size = std::size_t{64} << 10;

std::string why_not_read() {
  return std::string("cannot be read: ") + std::strerror(errno) + '.';
}

std::string why_too_large(std::size_t size, std::size_t most) {
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  return "has " + counted(size, "byte") + "; a file of more than " +
         (most >= mebibyte ? with_commas(most / mebibyte) + " MiB" : counted(most, "byte")) +
         " is not taken.";
}

}  // namespace

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a link";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISREG(mode)) return "a file";
  return "a device";
}

PlainFile::PlainFile(int at, const std::string& name, std::size_t most) : most_(most) {
  // Looked at first: to open a device can do something by itself.
  if (fstatat(at, name.c_str(), &status_, AT_SYMLINK_NOFOLLOW) != 0) {
    missing_ = errno == ENOENT;
    why_not_ = missing_ ? "is not there."
                        : std::string("cannot be looked at: ") + std::strerror(errno) + '.';
    return;
  }
  if (!S_ISREG(status_.st_mode)) {
    refuse_kind();
    return;
  }
  // Not blocking, and looked at again: it may have become something else since.
  file_ = Descriptor(openat(at, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file_ || fstat(file_.get(), &status_) != 0) {
    why_not_ = why_not_read();
  } else if (!S_ISREG(status_.st_mode)) {
    refuse_kind();
  } else if (static_cast<std::size_t>(status_.st_size) > most_) {
    why_not_ = why_too_large(static_cast<std::size_t>(status_.st_size), most_);
  }
}

void PlainFile::refuse_kind() {
  why_not_ = std::string("is ") + kind_of(status_.st_mode) + ", no file" +
             (S_ISLNK(status_.st_mode) ? ": links are not followed." : ".");
}

std::string_view PlainFile::next() {
  if (!why_not_.empty()) return {};
  buffer_.resize(part_size);
  ssize_t n;
  do {
    n = read(file_.get(), buffer_.data(), buffer_.size());
  } while (n == -1 && errno == EINTR);
  if (n > 0 && (taken_ += static_cast<std::size_t>(n)) <= most_)
    return {buffer_.data(), static_cast<std::size_t>(n)};
  if (n > 0) why_not_ = why_too_large(taken_, most_);
  if (n == -1) why_not_ = why_not_read();
  return {};
}

std::optional<std::string> PlainFile::text() {
  std::string whole;
  for (std::string_view part = next(); !part.empty(); part = next()) whole += part;
  if (!why_not_.empty()) return std::nullopt;
  return whole;
}

}  // namespace kit
