// kit-cell: where the code of others is compiled and run for a grade.
//
//   kit-cell compile --candidate DIR [--cpu SECONDS] [--read PATH]… -- COMPILER ARGUMENT…
//     Runs a compiler or linker as it is told, but in a sandbox: under a user of its own, on copies
//     of the candidate's files, with nothing else in sight than the system and each --read. What it
//     was told to write is copied back. Its exit status is the compiler's.
//
//   kit-cell check --note FILE [--memory MB] [--disk MB] [--files N] [--processes N] -- CHECK
//   ARGUMENT…
//     Runs a check, in a network of its own where that can be had, and ends it once its programs
//     together use too much of the machine; then FILE says of what. Its exit status is the check's.
//
//   kit-cell isolation
//     Says in one line what keeps a submission apart on this machine.
//
// kit-grade starts it; a process for each compiler and each step, because the harness has one
// thread.

#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "harness/base/descriptor.hpp"
#include "harness/base/plain_file.hpp"
#include "harness/kernel/events.hpp"
#include "harness/kernel/landlock.hpp"
#include "harness/processes/orphans.hpp"
#include "harness/processes/process.hpp"
#include "harness/processes/sandbox.hpp"
#include "usage.hpp"

#ifdef __linux__
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

namespace {

using kit::Descriptor;

constexpr int exit_usage = 2;
constexpr int exit_kit_error = 99;

/// What one file that a compiler reads or writes may have: a program with its debug information.
constexpr std::size_t largest_file = std::size_t{128} << 20;
/// A compiler under ASan flags takes 0.6 GiB; a runaway template takes all there is.
constexpr std::size_t compiler_memory = std::size_t{3} << 30;
constexpr std::size_t compiler_processes = 64;

/// How often the uses of a step's programs are added up. They can fill 0.2 GiB meanwhile.
constexpr std::chrono::milliseconds look_again{100};
/// What a check gets to clean up after SIGTERM.
constexpr std::chrono::milliseconds grace{4000};

struct Arguments {
  std::string mode, candidate, note;
  std::size_t cpu_seconds = 20;
  std::vector<std::string> readable;
  kit::Allowance allowance;
  std::vector<std::string> command;
};

Arguments read_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  if (words.empty()) throw std::invalid_argument("takes a mode");
  arguments.mode = words[0];
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "--") {
      arguments.command.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      return arguments;
    }
    if (i + 1 == words.size()) throw std::invalid_argument(words[i] + " takes a value");
    const std::string& name = words[i];
    const std::string& value = words[++i];
    const auto number = [&] { return std::strtoull(value.c_str(), nullptr, 10); };
    if (name == "--candidate") {
      arguments.candidate = value;
    } else if (name == "--note") {
      arguments.note = value;
    } else if (name == "--read") {
      arguments.readable.push_back(value);
    } else if (name == "--cpu") {
      arguments.cpu_seconds = number();
    } else if (name == "--memory") {
      arguments.allowance.memory = number() << 20;
    } else if (name == "--disk") {
      arguments.allowance.disk = number() << 20;
    } else if (name == "--files") {
      arguments.allowance.files = number();
    } else if (name == "--processes") {
      arguments.allowance.processes = number();
    } else {
      throw std::invalid_argument("unknown option " + name);
    }
  }
  return arguments;
}

// ---- a network of its own ----------------------------------------

#ifdef __linux__
bool loopback_is_up() {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return false;
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  if (ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return false;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
}

/// A setting of the old network that a fresh one has at another value.
void keep_setting(const char* file, std::string& value, bool write) {
  if (!write) {
    std::ifstream(file) >> value;
  } else if (!value.empty()) {
    std::ofstream(file) << value << '\n';
  }
}

/// Nothing but a loopback of its own, and System V memory of its own: a submission can call nobody,
/// answer for nobody, and leave nothing in them. Needs rights that root in a container may lack.
bool private_network() {
  if (kit::is_left_out("network")) return false;
  constexpr const char* queue = "/proc/sys/net/unix/max_dgram_qlen";
  std::string queue_length;
  keep_setting(queue, queue_length, false);
  const Descriptor old(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!old || unshare(CLONE_NEWNET) != 0) return false;
  if (!loopback_is_up()) {
    setns(old.get(), CLONE_NEWNET);
    return false;
  }
  keep_setting(queue, queue_length, true);
  return true;
}

bool private_memory() {
  return unshare(CLONE_NEWIPC) == 0;
}
#else
bool private_network() {
  return false;
}
bool private_memory() {
  return false;
}
#endif

// ---- compiling ---------------------------------------------------

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
  return text;
}

/// Copies a file that nobody but its writer vouches for; false if it is not to be taken.
bool copy_plain_file(const std::string& from, const std::string& to, mode_t mode) {
  kit::PlainFile in(AT_FDCWD, from, largest_file);
  if (!in.why_not().empty()) return false;
  unlink(to.c_str());
  const Descriptor out(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!out) throw std::system_error(errno, std::generic_category(), "open of " + to);
  for (std::string_view part = in.next(); !part.empty(); part = in.next()) {
    if (write(out.get(), part.data(), part.size()) != static_cast<ssize_t>(part.size())) {
      throw std::system_error(errno, std::generic_category(), "write of " + to);
    }
  }
  return in.why_not().empty();
}

/// The candidate's folder as the compiler sees it, and back.
class Copy {
 public:
  Copy(kit::Sandbox& sandbox, std::string candidate, std::vector<std::string> readable)
      : sandbox_(sandbox), candidate_(std::move(candidate)), readable_(std::move(readable)) {
    for (const char* folder : {"src", "obj", "checked", "raced"}) {
      sandbox_.make_folder(folder);
    }
  }

  /// The argument, with the candidate's folder replaced; an object is copied in, also one that it
  /// has in common with the reference.
  std::string there(const std::string& argument) {
    if (argument.ends_with(".o") && std::ranges::find(readable_, argument) == readable_.end()) {
      const std::string name =
          std::to_string(objects_++) + "_" + std::filesystem::path(argument).filename().string();
      const std::string to = sandbox_.folder() + "/obj/" + name;
      bring(argument, to);
      return to;
    }
    return replaced(argument, candidate_, sandbox_.folder());
  }
  std::string here(std::string text) const {
    return replaced(std::move(text), sandbox_.folder(), candidate_);
  }

  void bring_sources() {
    const std::string from = candidate_ + "/src";
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(from, error)) {
      bring(entry.path().string(), sandbox_.folder() + "/src/" + entry.path().filename().string());
    }
  }

  /// Takes back what was written as `file` (a path in the candidate's folder).
  bool take(const std::string& file, bool program) {
    return copy_plain_file(replaced(file, candidate_, sandbox_.folder()), file,
                           program ? 0755 : 0644);
  }

 private:
  void bring(const std::string& file, const std::string& to) {
    if (copy_plain_file(file, to, 0600)) sandbox_.give(to);
  }

  kit::Sandbox& sandbox_;
  std::string candidate_;
  std::vector<std::string> readable_;
  std::size_t objects_ = 0;
};

/// Why the compiler was stopped by its limits, if it was.
std::string limit_met(const kit::Exit& exit, const std::string& said, std::size_t cpu_seconds) {
  const auto says = [&](const char* words) { return said.find(words) != std::string::npos; };
  if (says("CPU time limit exceeded") || says("signal terminated program") ||
      exit.signal == SIGXCPU || exit.signal == SIGKILL) {
    return "compiling it was stopped after " + std::to_string(cpu_seconds) + " s of processor time";
  }
  if (says("out of memory") || says("memory exhausted") || says("bad_alloc")) {
    return "compiling it was stopped: it takes more than 3 GiB of memory";
  }
  return {};
}

void print(const std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const ssize_t n = write(STDOUT_FILENO, text.data() + at, text.size() - at);
    if (n <= 0 && errno != EINTR) return;
    if (n > 0) at += static_cast<std::size_t>(n);
  }
}

int compile(const Arguments& arguments) {
  private_network();
  private_memory();
  kit::keep_inside();
  const kit::Signals signals;
  kit::Sandbox sandbox;
  Copy copy(sandbox, arguments.candidate, arguments.readable);
  kit::ProcessOptions options = sandbox.options();
  options.confinement = kit::system_files();
  options.confinement->writable.push_back(sandbox.folder());
  // A compiler of its own kind may live in one of them.
  auto& readable = options.confinement->executable;
  readable.insert(readable.end(), arguments.readable.begin(), arguments.readable.end());
  options.limits.address_space = compiler_memory;
  options.limits.cpu_seconds = arguments.cpu_seconds;
  options.limits.open_files = 256;
  options.limits.file_size = largest_file;
  options.limits.processes = compiler_processes;

  std::string source, output, dependencies;
  const auto& command = arguments.command;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const std::string before = i == 0 ? "" : command[i - 1];
    if (before == "-c") source = command[i];
    if (before == "-o") output = command[i];
    if (before == "-MF") dependencies = command[i];
    // What is written is not brought in.
    options.command.push_back(before == "-o"
                                  ? replaced(command[i], arguments.candidate, sandbox.folder())
                                  : copy.there(command[i]));
  }
  if (!source.empty()) copy.bring_sources();

  kit::Process compiler(options);
  // Whoever started this process watches the clock: its SIGTERM interrupts the wait.
  while (!compiler.wait_exit(kit::after(std::chrono::hours(1)))) {
  }
  const kit::Exit exit = *compiler.exit();
  const std::string said = std::string(compiler.err().head()) + std::string(compiler.out().head());
  print(copy.here(said));
  if (!exit.clean()) {
    const std::string why = limit_met(exit, said, arguments.cpu_seconds);
    if (!why.empty() && !source.empty()) print(source + ":1: error: " + why + "\n");
    return exit.signal != 0 ? 128 + exit.signal : exit.code;
  }
  if (!dependencies.empty() && copy.take(dependencies, false)) {
    std::ostringstream text;
    text << std::ifstream(dependencies).rdbuf();
    std::ofstream(dependencies) << copy.here(text.str());
  }
  if (!output.empty() && !copy.take(output, source.empty())) {
    print(source + ":1: error: what it compiles to is too large\n");
    return 1;
  }
  return 0;
}

// ---- checks ------------------------------------------------------

volatile sig_atomic_t told_to_end = 0;
extern "C" void note_end(int) {
  told_to_end = 1;
}
extern "C" void note_child(int) {
  // It only ends the pause.
}

/// While it lives those signals come in pauses alone, so that none is missed between a look and the
/// pause after it.
class InPauses {
 public:
  InPauses() {
    sigset_t all;
    sigemptyset(&all);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) {
      struct sigaction action {};
      action.sa_handler = number == SIGCHLD ? note_child : note_end;
      sigaction(number, &action, nullptr);
      sigaddset(&all, number);
    }
    sigprocmask(SIG_BLOCK, &all, &before_);
  }
  /// As it was: for the program that this process becomes.
  void take_back() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  void pause(std::chrono::nanoseconds time) const {
    const timespec limit{time.count() / 1'000'000'000, time.count() % 1'000'000'000};
    pselect(0, nullptr, nullptr, nullptr, &limit, &before_);
  }

 private:
  sigset_t before_;
};

/// Where processes cannot be counted by a user of their own, the whole user gets a limit: what it
/// has now, and room for the desktop to go on.
void limit_processes_of_this_user() {
#ifdef __linux__
  if (geteuid() == 0) return;
  std::size_t threads = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    struct stat status {};
    if (stat(entry.path().c_str(), &status) != 0 || status.st_uid != getuid()) continue;
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code gone;
    const auto begin = std::filesystem::directory_iterator(entry.path() / "task", gone);
    threads +=
        static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
  }
  constexpr std::size_t room = 2048;
  const rlimit both{threads + room, threads + room};
  setrlimit(RLIMIT_NPROC, &both);
#endif
}

/// What no lesson needs, and harms others or hides: from now on these calls fail, for good. Kernel
/// keys outlive those who made them, and one submission could leave some to the next; who runs as
/// the grader's own user could take time and descriptors from his other processes; in namespaces of
/// its own a program has memory that nobody adds up; and what goes by a ring no recorder sees. With
/// ENOSYS, as on a kernel that lacks them, and not EPERM: libraries know another way then, as
/// pthread_create(3) does without clone3(). (An old kernel has no such filter.)
void refuse_needless_calls() {
#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
#if defined(__x86_64__)
  constexpr std::uint32_t native = AUDIT_ARCH_X86_64;
  constexpr std::uint32_t first_of_x32 = 0x40000000;
#else
  constexpr std::uint32_t native = AUDIT_ARCH_AARCH64;
  constexpr std::uint32_t first_of_x32 = 0xFFFFFFFF;
#endif
  const auto load = [](std::size_t offset) {
    return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  };
  // Jumps over so many if it is so, or if it is not.
  const auto jump = [](int test, std::uint32_t value, std::uint8_t so, std::uint8_t not_so) {
    return sock_filter BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, so,
                                not_so);
  };
  const sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
  const sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  // The same calls have other numbers in other tables: those tables are closed.
  std::vector<sock_filter> filter = {
      load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, native, 1, 0),       refuse,
      load(offsetof(seccomp_data, nr)),   jump(BPF_JGE, first_of_x32, 0, 1), refuse};
  for (const long call :
       {SYS_add_key, SYS_request_key, SYS_keyctl, SYS_setpriority, SYS_sched_setscheduler,
        SYS_sched_setparam, SYS_sched_setattr, SYS_sched_setaffinity, SYS_unshare, SYS_setns,
        SYS_clone3, SYS_io_uring_setup}) {
    filter.insert(filter.end(), {jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 1), refuse});
  }
  // Of these the first argument decides: whose limits (0 is its own), and which flags (those of
  // clone3() no filter can see).
  constexpr std::uint32_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                       CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  const auto first_argument = load(offsetof(seccomp_data, args));
  filter.insert(filter.end(),
                {jump(BPF_JEQ, SYS_prlimit64, 0, 4), first_argument, jump(BPF_JEQ, 0, 0, 1), allow,
                 refuse,  //
                 jump(BPF_JEQ, SYS_clone, 0, 3), first_argument, jump(BPF_JSET, namespaces, 0, 1),
                 refuse, allow});
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
#endif
}

int check(const Arguments& arguments) {
  const bool own_network = private_network();
  if (own_network) setenv("KIT_OWN_NETWORK", "1", 1);
  const bool own_memory = private_memory();
  kit::keep_inside();
  kit::adopt_orphans();
  const InPauses signals;

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) {
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(exit_kit_error);
#else
    (void)parent;
#endif
    limit_processes_of_this_user();
    refuse_needless_calls();
    signals.take_back();
    std::vector<char*> words;
    for (const std::string& word : arguments.command) {
      words.push_back(const_cast<char*>(word.c_str()));
    }
    words.push_back(nullptr);
    execv(words[0], words.data());
    _exit(exit_kit_error);
  }

  using Clock = std::chrono::steady_clock;
  std::string sandbox;
  bool ending = false;
  Clock::time_point kill_at = Clock::time_point::max();
  int status = 0;
  const auto end_it = [&](int number) {
    ::kill(pid, number);
    ending = true;
    kill_at = std::min(kill_at, Clock::now() + grace);
  };
  auto next_look = Clock::now() + look_again;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    signals.pause(look_again);
    if (told_to_end != 0 && !ending) end_it(SIGTERM);
    if (Clock::now() >= kill_at) ::kill(pid, SIGKILL);
    if (ending || Clock::now() < next_look) continue;
    next_look = Clock::now() + look_again;
    kit::Usage usage = kit::usage_below(pid);
    if (sandbox.empty()) sandbox = kit::sandbox_of(pid);
    if (!sandbox.empty()) kit::add_folder(usage, sandbox + "/f", arguments.allowance);
    if (own_memory) kit::add_segments(usage);
    if (own_network) kit::add_socket_buffers(usage);
    if (usage.user != 0 && usage.user != geteuid()) {
      kit::add_names_in_tmp(usage, arguments.allowance);
    }
    const std::string why = kit::excess(usage, arguments.allowance);
    if (why.empty()) continue;
    std::ofstream(arguments.note) << why << '\n';
    end_it(SIGTERM);
  }
  // A check that was killed outright could not tidy up.
  kit::end_orphans(std::nullopt);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// ---- what there is -----------------------------------------------

int isolation() {
  std::string text = kit::User::claim() ? "a user of its own for each running step"
                     : geteuid() == 0   ? "the user who grades (who is root)"
                                        : "the user who grades (no other can be had without root)";
  if (const int version = kit::landlock_version(); version > 0) {
    text += "; Landlock " + std::to_string(version) +
            (version >= 6 ? " for files, signals and abstract names" : " for files");
  } else {
    text += "; no Landlock";
  }
  const bool network = private_network();
  const bool memory = private_memory();
  text += network ? "; a network of its own" : "; the machine's network";
  if (memory) text += " and System V memory of its own";
  text += "; limits on time, memory, disk and processes";
  std::cout << text << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  setenv("KIT_CONFINE", "1", 1);
  try {
    const Arguments arguments = read_arguments({argv + 1, argv + argc});
    if (arguments.mode == "isolation") return isolation();
    if (arguments.command.empty()) throw std::invalid_argument("takes a command behind --");
    if (arguments.mode == "compile") return compile(arguments);
    if (arguments.mode == "check") return check(arguments);
    throw std::invalid_argument("unknown mode " + arguments.mode);
  } catch (const std::invalid_argument& error) {
    std::cerr << "kit-cell: " << error.what() << '\n';
    return exit_usage;
  } catch (const kit::Interrupted& interruption) {
    return 128 + interruption.signal();
  } catch (const std::exception& error) {
    std::cerr << "kit-cell: " << error.what() << '\n';
    return exit_kit_error;
  }
}
