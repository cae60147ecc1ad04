#include "usage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#endif

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "harness/base/descriptor.hpp"
#include "harness/base/escape.hpp"
#include "harness/kernel/proc.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;

/// How many descriptors wait in a Unix socket (Linux 5.7).
std::size_t sent_into(const std::string& descriptor_info) {
  std::ifstream info(descriptor_info);
  for (std::string key; info >> key;) {
    std::size_t count = 0;
    if (key == "scm_fds:" && info >> count) return count;
  }
  return 0;
}

/// The size of the files that only an open descriptor keeps: unlinked ones and memfds; and what a
/// socket keeps. They count once, however many descriptors lead to them.
void add_nameless(pid_t pid, Usage& usage, std::set<std::pair<dev_t, ino_t>>& seen) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
  DIR* const entries = opendir(folder.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = readdir(entries)) {
    struct stat status {};
    if (fstatat(dirfd(entries), entry->d_name, &status, 0) != 0) continue;
    const bool is_file = S_ISREG(status.st_mode) && status.st_nlink == 0;
    if (!is_file && !S_ISSOCK(status.st_mode)) continue;
    if (!seen.insert({status.st_dev, status.st_ino}).second) continue;
    if (is_file) {
      usage.memory += static_cast<std::uint64_t>(status.st_blocks) * 512;
    } else {
      usage.sent += sent_into(folder + "info/" + entry->d_name);
    }
  }
  closedir(entries);
}

#ifdef __linux__
/// What the sockets of one kind hold, in bytes (sock_diag(7)).
template <typename Request, typename Answer>
std::uint64_t held_by(int netlink, Request request, unsigned short attribute) {
  struct {
    nlmsghdr head{};
    Request body{};
  } message;
  message.head.nlmsg_len = sizeof message;
  message.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.body = request;
  if (send(netlink, &message, sizeof message, 0) < 0) return 0;
  std::uint64_t bytes = 0;
  alignas(nlmsghdr) char buffer[1 << 15];
  for (;;) {
    const ssize_t count = recv(netlink, buffer, sizeof buffer, 0);
    if (count <= 0) return bytes;
    auto left = static_cast<unsigned>(count);
    for (auto* one = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(one, left);
         one = NLMSG_NEXT(one, left)) {
      if (one->nlmsg_type != SOCK_DIAG_BY_FAMILY) return bytes;  // its end, or an error
      auto* word = reinterpret_cast<rtattr*>(static_cast<char*>(NLMSG_DATA(one)) + sizeof(Answer));
      auto size = static_cast<unsigned>(NLMSG_PAYLOAD(one, sizeof(Answer)));
      for (; RTA_OK(word, size); word = RTA_NEXT(word, size)) {
        if (word->rta_type != attribute) continue;
        const auto* const memory = static_cast<const std::uint32_t*>(RTA_DATA(word));
        if (RTA_PAYLOAD(word) < 6 * sizeof *memory) continue;
        bytes += memory[SK_MEMINFO_RMEM_ALLOC] + memory[SK_MEMINFO_WMEM_ALLOC] +
                 memory[SK_MEMINFO_WMEM_QUEUED];
      }
    }
  }
}
#endif

std::string mebibytes(std::uint64_t bytes) {
  return with_commas(static_cast<std::size_t>(bytes >> 20)) + " MiB";
}

}  // namespace

Usage usage_below(pid_t ancestor) {
  Usage usage;
  std::set<std::pair<dev_t, ino_t>> seen;
  // One look at all: where a bomb goes off, a look for each process would come too late.
  auto families = proc::families();
  std::vector<pid_t> to_visit = families[ancestor];
  while (!to_visit.empty()) {
    const pid_t pid = to_visit.back();
    to_visit.pop_back();
    ++usage.processes;
    struct stat status {};
    if (stat(("/proc/" + std::to_string(pid)).c_str(), &status) == 0) usage.user = status.st_uid;
    usage.memory += std::uint64_t{proc::resident_kib(pid).value_or(0)} << 10;
    add_nameless(pid, usage, seen);
    // A bomb is a bomb: what is over any limit need not be counted to the end.
    if (usage.processes > 4096) break;
    for (const pid_t child : families[pid]) to_visit.push_back(child);
  }
  return usage;
}

void add_folder(Usage& usage, const std::string& folder, const Allowance& allowance) {
  std::error_code error;
  auto entry = fs::recursive_directory_iterator(
      folder, fs::directory_options::skip_permission_denied, error);
  const fs::recursive_directory_iterator end;
  while (!error && entry != end) {
    struct stat status {};
    if (lstat(entry->path().c_str(), &status) == 0) {
      usage.disk += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
    ++usage.files;
    if (usage.files > 2 * allowance.files || entry.depth() > 200) break;
    entry.increment(error);
  }
}

void add_segments(Usage& usage) {
  std::ifstream list("/proc/sysvipc/shm");
  std::string line;
  std::getline(list, line);  // the columns' names: rss is the 15th
  while (std::getline(list, line)) {
    std::istringstream columns(line);
    std::string word;
    for (int i = 0; i < 15 && columns >> word; ++i) {
    }
    if (columns) usage.memory += std::strtoull(word.c_str(), nullptr, 10);
  }
}

void add_socket_buffers(Usage& usage) {
#ifdef __linux__
  const Descriptor netlink(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink) return;
  unix_diag_req names{};
  names.sdiag_family = AF_UNIX;
  names.udiag_states = ~0U;
  names.udiag_show = UDIAG_SHOW_MEMINFO;
  usage.memory += held_by<unix_diag_req, unix_diag_msg>(netlink.get(), names, UNIX_DIAG_MEMINFO);
  for (const auto family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
    for (const auto protocol : {std::uint8_t{IPPROTO_TCP}, std::uint8_t{IPPROTO_UDP}}) {
      inet_diag_req_v2 ports{};
      ports.sdiag_family = family;
      ports.sdiag_protocol = protocol;
      ports.idiag_states = ~0U;
      ports.idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1);
      usage.memory +=
          held_by<inet_diag_req_v2, inet_diag_msg>(netlink.get(), ports, INET_DIAG_SKMEMINFO);
    }
  }
#else
  (void)usage;
#endif
}

void add_names_in_tmp(Usage& usage, const Allowance& allowance) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/tmp", error)) {
    struct stat status {};
    if (lstat(entry.path().c_str(), &status) != 0 || status.st_uid != usage.user) continue;
    ++usage.files;
    if (S_ISDIR(status.st_mode)) add_folder(usage, entry.path().string(), allowance);
    if (usage.files > 2 * allowance.files) return;
  }
}

std::string excess(const Usage& usage, const Allowance& allowance) {
  if (usage.processes > allowance.processes) {
    return "more than " + with_commas(allowance.processes) + " processes at once";
  }
  if (usage.memory > allowance.memory) {
    return "more than " + mebibytes(allowance.memory) + " of memory";
  }
  if (usage.disk > allowance.disk) return "more than " + mebibytes(allowance.disk) + " of disk";
  if (usage.files > allowance.files) {
    return "more than " + with_commas(allowance.files) + " files";
  }
  if (usage.sent > allowance.sent) {
    return "more than " + with_commas(allowance.sent) +
           " descriptors sent over a Unix socket and not taken out";
  }
  return {};
}

std::string sandbox_of(pid_t check) {
  const std::string folder = "/proc/" + std::to_string(check) + "/fd";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string target = fs::read_symlink(entry.path(), error).string();
    const fs::path path(target);
    if (path.filename() == "lock" && path.parent_path().filename().string().starts_with("kit-")) {
      return path.parent_path().string();
    }
  }
  return {};
}

}  // namespace kit
