// What this machine can do for the kit, asked of the system itself: one line an item,
// "ok<TAB>what", "without<TAB>what<TAB>what follows", or "lacks<TAB>what<TAB>the cure".
// Compiled and run by tests/cmake/doctor.cmake. Opens nothing but sockets on the loopback.

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

namespace {

void ok(const std::string& what) {
  std::printf("ok\t%s\n", what.c_str());
}
void without(const std::string& what, const std::string& follows) {
  std::printf("without\t%s\t%s\n", what.c_str(), follows.c_str());
}
void lacks(const std::string& what, const std::string& cure) {
  std::printf("lacks\t%s\t%s\n", what.c_str(), cure.c_str());
}

bool can_bind(int family, const sockaddr* address, socklen_t size) {
  const int fd = ::socket(family, SOCK_STREAM, 0);
  if (fd == -1) return false;
  const bool bound = ::bind(fd, address, size) == 0 && ::listen(fd, 1) == 0;
  const int error = errno;
  ::close(fd);
  errno = error;
  return bound;
}

void loopback() {
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (can_bind(AF_INET, reinterpret_cast<const sockaddr*>(&four), sizeof four)) {
    ok("loopback 127.0.0.1");
  } else {
    lacks(std::string("loopback 127.0.0.1: ") + std::strerror(errno),
          "bring the loopback interface up: sudo ip link set lo up");
  }
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_addr = in6addr_loopback;
  if (can_bind(AF_INET6, reinterpret_cast<const sockaddr*>(&six), sizeof six)) {
    ok("loopback ::1");
  } else {
    without("loopback ::1", "nothing is graded on IPv6 here");
  }
}

void unix_sockets() {
  const char* folder = std::getenv("TMPDIR");
  const std::string path =
      std::string(folder ? folder : "/tmp") + "/kit-doctor-" + std::to_string(::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    lacks("a short folder for Unix sockets", "unset TMPDIR, or set it to a shorter path");
    return;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (can_bind(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address)) {
    ok("Unix sockets in " + path.substr(0, path.rfind('/')));
  } else {
    lacks("Unix sockets in " + path.substr(0, path.rfind('/')) + ": " + std::strerror(errno),
          "set TMPDIR to a folder of a native file system (WSL2: not below /mnt)");
  }
  ::unlink(path.c_str());
}

void processes() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(7);
  int status = 0;
  if (child > 0 && ::waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7) {
    ok("fork and waitpid");
  } else {
    lacks("fork and waitpid", "raise the limit on processes: ulimit -u");
  }
  bool ran = false;
  try {
    std::thread([&ran] { ran = true; }).join();
  } catch (const std::exception&) {
  }
  if (ran) {
    ok("threads");
  } else {
    lacks("threads", "raise the limit on processes: ulimit -u");
  }
}

void limits() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const std::string text = "open files: " + std::to_string(files.rlim_cur) + ", at most " +
                           std::to_string(files.rlim_max);
  constexpr rlim_t enough = 1024;
  constexpr rlim_t crowd = 10'100;
  if (files.rlim_max < enough) {
    lacks(text, "raise the hard limit to 1024 or more: ulimit -Hn");
  } else if (files.rlim_max < crowd) {
    without(text, "lesson 07's ten thousand clients need a hard limit above 10100: ulimit -Hn");
  } else {
    ok(text);
  }
}

void isolation() {
#if defined(__linux__)
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && ::access("/proc/self/fd", X_OK) == 0) {
    ok("processes that run away are caught (subreaper, /proc)");
  } else {
    lacks("subreaper and /proc", "mount /proc; without it runaways cannot be caught");
  }
#if defined(SYS_landlock_create_ruleset)
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1U);
#else
  const long version = -1;
#endif
  if (version > 0) {
    ok("Landlock, version " + std::to_string(version));
  } else {
    without("Landlock", "grading relies on users and limits alone");
  }
  if (::geteuid() == 0) {
    ok("root: each graded step gets a user of its own");
  } else {
    without("root", "a graded program runs under your own user: good for learning, not for exams");
  }
#else
  without("/proc, subreaper, Landlock", "this system checks, but does not contain what it checks");
#endif
}

}  // namespace

int main() {
  loopback();
  unix_sockets();
  processes();
  limits();
  isolation();
}
