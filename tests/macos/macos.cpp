// What macOS does otherwise, on Linux: the linker puts these in front of the calls (--wrap=…). Each
// habit is from the manual pages of macOS; kqueue(2) is made of poll(2).

#if defined(__linux__)

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

namespace {

constexpr int so_nosigpipe = 0x1022;
constexpr std::size_t most_descriptors = 65'536;
std::array<std::atomic<bool>, most_descriptors> no_sigpipe;

std::atomic<bool>& mark(int fd) {
  return no_sigpipe.at(static_cast<std::size_t>(fd));
}

// What is written beside the address proper: there sin_len, which Linux has no place for; here the
// bytes that it leaves alone. A peer without a name gets fourteen zero bytes for a path.
void write_as_macos(sockaddr* address, socklen_t* size, socklen_t room) {
  if (address == nullptr) return;
  constexpr socklen_t of_nameless = 16;
  if (*size >= sizeof(sockaddr_in) && address->sa_family == AF_INET) {
    sockaddr_in made{};
    std::memcpy(&made, address, sizeof made);
    std::memset(made.sin_zero, 0x10, sizeof made.sin_zero);
    std::memcpy(address, &made, sizeof made);
  }
  const bool nameless =
      *size == 0 || (address->sa_family == AF_UNIX && *size <= offsetof(sockaddr_un, sun_path));
  if (nameless && room >= of_nameless) {
    std::memset(address, 0, of_nameless);
    address->sa_family = AF_UNIX;
    *size = of_nameless;
  }
}

// ---- kqueue ------------------------------------------------------------------------------------

struct Watched {
  int fd;
  short filter;
};
std::mutex mutex;
std::map<int, std::vector<Watched>> queues;  // guarded by `mutex`, as all that stands in it

bool is_regular(int fd) {
  struct stat file {};
  return ::fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
}

// "Returns when the file pointer is not at the end of file."
bool has_more(int fd) {
  struct stat file {};
  return ::fstat(fd, &file) == 0 && ::lseek(fd, 0, SEEK_CUR) < file.st_size;
}

// The error of a change, or 0.
int apply(std::vector<Watched>& queue, const struct kevent& wanted) {
  const int fd = static_cast<int>(wanted.ident);
  const auto found = std::find_if(queue.begin(), queue.end(), [&](const Watched& watched) {
    return watched.fd == fd && watched.filter == wanted.filter;
  });
  if (wanted.flags & EV_DELETE) {
    if (found == queue.end()) return ENOENT;
    queue.erase(found);
    return 0;
  }
  struct stat file {};
  if (::fstat(fd, &file) == -1) return EBADF;
  if (S_ISCHR(file.st_mode) && !::isatty(fd)) return EINVAL;
  if (found == queue.end()) queue.push_back({fd, wanted.filter});
  return 0;
}

// What is ready now, or within the time.
int wait_for(const std::vector<Watched>& queue, struct kevent* events, int most,
             const timespec* timeout) {
  std::vector<pollfd> polled;
  bool at_once = false;
  for (const Watched& watched : queue) {
    const bool reads = watched.filter == EVFILT_READ;
    const bool regular = is_regular(watched.fd);
    const bool ready = regular && (!reads || has_more(watched.fd));
    at_once |= ready;
    polled.push_back(
        {regular && !ready ? -1 : watched.fd, static_cast<short>(reads ? POLLIN : POLLOUT), 0});
  }
  const timespec none{};
  const int count = ::ppoll(polled.data(), polled.size(), at_once ? &none : timeout, nullptr);
  if (count == -1) return -1;
  int written = 0;
  for (std::size_t i = 0; i < polled.size() && written < most; ++i) {
    if (polled[i].revents == 0) continue;
    EV_SET(&events[written], static_cast<uintptr_t>(queue[i].fd), queue[i].filter, 0, 0, 0,
           nullptr);
    written += 1;
  }
  return written;
}

// What was told last stands at the end: nobody starves behind a full answer.
void take_turns(int number, const struct kevent& last) {
  const std::lock_guard lock(mutex);
  std::vector<Watched>& queue = queues[number];
  const auto found = std::find_if(queue.begin(), queue.end(), [&](const Watched& watched) {
    return watched.fd == static_cast<int>(last.ident) && watched.filter == last.filter;
  });
  if (found != queue.end()) std::rotate(queue.begin(), found + 1, queue.end());
}

}  // namespace

extern "C" {

int kqueue() {
  const int fd = ::open("/dev/null", O_RDONLY);
  if (fd == -1) return -1;
  const std::lock_guard lock(mutex);
  queues[fd] = {};
  return fd;
}

int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events,
           int event_count, const timespec* timeout) {
  std::vector<Watched> watched;
  {
    const std::lock_guard lock(mutex);
    const auto found = queues.find(queue);
    int error = found == queues.end() ? EBADF : 0;
    for (int i = 0; i < change_count && error == 0; ++i) error = apply(found->second, changes[i]);
    if (error != 0) {
      errno = error;
      return -1;
    }
    watched = found->second;
  }
  if (event_count == 0) return 0;
  const int count = wait_for(watched, events, event_count, timeout);
  if (count == event_count) take_turns(queue, events[count - 1]);
  return count;
}

int getpeereid(int socket, unsigned* uid, unsigned* gid) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1) return -1;
  *uid = peer.uid;
  *gid = peer.gid;
  return 0;
}

int __real_accept(int listener, sockaddr* address, socklen_t* size);
int __real_close(int fd);
int __real_getsockname(int fd, sockaddr* address, socklen_t* size);
ssize_t __real_recvfrom(int fd, void* buffer, size_t length, int flags, sockaddr* address,
                        socklen_t* size);
ssize_t __real_send(int fd, const void* buffer, size_t length, int flags);
int __real_setsockopt(int fd, int level, int option, const void* value, socklen_t size);

// accept(2): "The call creates a new socket with the same properties of the listener."
int __wrap_accept(int listener, sockaddr* address, socklen_t* size) {
  const socklen_t room = size ? *size : 0;
  const int fd = __real_accept(listener, address, size);
  if (fd == -1) return -1;
  if (::fcntl(listener, F_GETFL) & O_NONBLOCK) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  write_as_macos(address, size, room);
  return fd;
}

// A closed descriptor leaves every kqueue, and its options are gone.
int __wrap_close(int fd) {
  if (fd >= 0) {
    mark(fd) = false;
    const std::lock_guard lock(mutex);
    queues.erase(fd);
    for (auto& [number, queue] : queues) {
      queue.erase(std::remove_if(queue.begin(), queue.end(),
                                 [fd](const Watched& watched) { return watched.fd == fd; }),
                  queue.end());
    }
  }
  return __real_close(fd);
}

int __wrap_getsockname(int fd, sockaddr* address, socklen_t* size) {
  const socklen_t room = *size;
  const int result = __real_getsockname(fd, address, size);
  if (result == 0) write_as_macos(address, size, room);
  return result;
}

ssize_t __wrap_recvfrom(int fd, void* buffer, size_t length, int flags, sockaddr* address,
                        socklen_t* size) {
  const socklen_t room = size ? *size : 0;
  const ssize_t count = __real_recvfrom(fd, buffer, length, flags, address, size);
  if (count != -1) write_as_macos(address, size, room);
  return count;
}

ssize_t __wrap_send(int fd, const void* buffer, size_t length, int flags) {
  return __real_send(fd, buffer, length, mark(fd) ? flags | MSG_NOSIGNAL : flags);
}

int __wrap_setsockopt(int fd, int level, int option, const void* value, socklen_t size) {
  if (level != SOL_SOCKET || option != so_nosigpipe) {
    return __real_setsockopt(fd, level, option, value, size);
  }
  int on = 0;
  std::memcpy(&on, value, sizeof on);
  mark(fd) = on != 0;
  return 0;
}

}  // extern "C"

#endif
