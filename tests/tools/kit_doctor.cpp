// What this machine can do for the kit, asked of the system itself: one line an item,
// "ok<TAB>what", "without<TAB>what<TAB>what follows", or "lacks<TAB>what<TAB>the cure", a command.
//
//   kit_doctor [COMMAND]     COMMAND raises a limit of the shell, which stands in it as LIMIT
//
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
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>
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

// A command that only root may give, for whoever reads it. (Without the hyphen su keeps the user's
// PATH, which has none of the programs in /sbin.)
std::string as_root(const std::string& command) {
  if (::geteuid() == 0) return command;
  return ::access("/usr/bin/sudo", X_OK) == 0 ? "sudo " + command : "su - -c \"" + command + '"';
}

// Small systems have no ip.
std::string raise_loopback() {
  const std::string command = as_root("ip link set lo up");
  for (const char* program : {"/sbin/ip", "/bin/ip", "/usr/sbin/ip", "/usr/bin/ip"}) {
    if (::access(program, X_OK) == 0) return command;
  }
  return as_root("apt-get update") + " && " + as_root("apt-get install -y iproute2") + " && " +
         command;
}

// How a limit of the shell is raised here, with "LIMIT" for it: tests/cmake/doctor.cmake knows.
std::string how_to_raise = "prlimit --pid $$ --LIMIT";

std::string raise_limit(const std::string& limit) {
  std::string command = how_to_raise;
  const std::size_t at = command.find("LIMIT");
  return at == std::string::npos ? command : command.replace(at, std::strlen("LIMIT"), limit);
}

// Processes and threads: the user has a limit, and so has a container.
std::string raise_processes() {
  rlimit mine{};
  ::getrlimit(RLIMIT_NPROC, &mine);
  if (mine.rlim_cur < 8'192) return raise_limit("nproc=8192:8192");
  return "exit   # and start the container with --pids-limit 8192";
}

// Whether a server can have the address, and a client reach it.
bool can_meet(int family, const sockaddr* address, socklen_t size) {
  const int listener = ::socket(family, SOCK_STREAM, 0);
  const int client = ::socket(family, SOCK_STREAM, 0);
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  auto* const at = reinterpret_cast<sockaddr*>(&bound);
  const bool met = ::bind(listener, address, size) == 0 && ::listen(listener, 1) == 0 &&
                   ::getsockname(listener, at, &length) == 0 && ::connect(client, at, length) == 0;
  const int error = errno;
  ::close(client);
  ::close(listener);
  errno = error;
  return met;
}

void loopback() {
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (can_meet(AF_INET, reinterpret_cast<const sockaddr*>(&four), sizeof four)) {
    ok("loopback 127.0.0.1");
  } else {
    const int error = errno;  // raise_loopback() looks for files
    lacks(std::string("loopback 127.0.0.1: ") + std::strerror(error), raise_loopback());
  }
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_addr = in6addr_loopback;
  if (can_meet(AF_INET6, reinterpret_cast<const sockaddr*>(&six), sizeof six)) {
    ok("loopback ::1");
  } else {
    without("loopback ::1", "nothing is graded on IPv6 here");
  }
}

// As the steps do: in a folder of their own below /tmp, whatever TMPDIR says; paths are short
// there.
void unix_sockets() {
  const std::string new_one = as_root("mount -t tmpfs -o mode=1777 tmpfs /tmp");
  char folder[] = "/tmp/kit-XXXXXX";
  if (::mkdtemp(folder) == nullptr) {
    const int error = errno;
    lacks(std::string("folders in /tmp: ") + std::strerror(error),
          error == EACCES ? as_root("chmod 1777 /tmp") : new_one);
    return;
  }
  const std::string path = std::string(folder) + "/socket";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (can_meet(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address)) {
    ok("Unix sockets in /tmp");
  } else {
    lacks(std::string("Unix sockets in /tmp: ") + std::strerror(errno), new_one);
  }
  ::unlink(path.c_str());
  ::rmdir(folder);
}

void processes() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(7);
  int status = 0;
  if (child > 0 && ::waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7) {
    ok("fork and waitpid");
  } else {
    lacks("fork and waitpid", raise_processes());
  }
  // So many at once as a busy lesson, its check and the build together have.
  constexpr std::size_t enough = 100;
  std::vector<std::thread> threads;
  std::mutex gate;
  {
    const std::scoped_lock closed(gate);
    try {
      while (threads.size() < enough) {
        threads.emplace_back([&gate] { const std::scoped_lock passed(gate); });
      }
    } catch (const std::system_error&) {
    }
  }
  const std::size_t at_once = threads.size();
  for (std::thread& one : threads) one.join();
  if (at_once == enough) {
    ok("threads");
  } else {
    lacks("threads: only " + std::to_string(at_once) + " at once", raise_processes());
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
    lacks(text, raise_limit("nofile=10240:10240"));
  } else if (files.rlim_max < crowd) {
    without(text,
            "lesson 07's ten thousand clients need more: " + raise_limit("nofile=10240:10240"));
  } else {
    ok(text);
  }
}

void isolation() {
#if defined(__linux__)
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && ::access("/proc/self/fd", X_OK) == 0) {
    ok("processes that run away are caught (subreaper, /proc)");
  } else {
    lacks("subreaper and /proc, which catch runaways", as_root("mount -t proc proc /proc"));
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

int main(int argc, char** argv) {
  if (argc > 1) how_to_raise = argv[1];
  loopback();
  unix_sockets();
  processes();
  limits();
  isolation();
}
