// Runs a command whose system calls of some names fail with EPERM, as under the seccomp filter of a
// container:
//
//   kit-deny personality,ptrace COMMAND…
//
// The filter is for good, and for all that the command starts. See seccomp(2). For Linux alone.

#if defined(__linux__)

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::pair<std::string_view, unsigned> known[] = {
    {"personality", SYS_personality},
    {"ptrace", SYS_ptrace},
};

// The number of the system call stands in the accumulator; each name is one comparison.
bool deny(std::string_view names) {
  std::vector<sock_filter> filter{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (const auto& [name, number] : known) {
    if (names.find(name) == std::string_view::npos) continue;
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc < 3) return 2;
  if (!deny(argv[1])) {
    std::perror("seccomp");
    return 77;
  }
  ::execvp(argv[2], argv + 2);
  std::perror(argv[2]);
  return 127;
}

#endif
