#pragma once

// What a tree of processes uses of the machine, seen from outside. One file or one process can be
// limited by the kernel; many of them, together, only by somebody who adds up.

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace kit {

struct Usage {
  std::size_t processes = 0;
  std::uint64_t memory = 0;  ///< bytes: resident, in files that have no name, and in sockets
  std::size_t sent = 0;      ///< descriptors that a Unix socket holds: nobody has taken them out
  std::uint64_t disk = 0;    ///< bytes in the folder
  std::size_t files = 0;     ///< files and folders in it
  uid_t user = 0;            ///< whose processes they are; 0 if there is none
};

/// The most that a step's programs may use together.
struct Allowance {
  std::size_t processes = 800;
  std::uint64_t memory = std::uint64_t{2048} << 20;
  std::uint64_t disk = std::uint64_t{256} << 20;
  std::size_t files = 20'000;
  std::size_t sent = 16;  ///< each may be a file of 64 MiB that no process has open
};

/// Adds up all descendants of a process (not itself).
Usage usage_below(pid_t ancestor);

/// Adds up what lies in a folder; stops counting where it is far too much anyway.
void add_folder(Usage& usage, const std::string& folder, const Allowance& allowance);

/// Adds the System V segments of this process's own namespace: they live without a process.
void add_segments(Usage& usage);

/// Adds what waits in the sockets of this process's own network.
void add_socket_buffers(Usage& usage);

/// Adds up what a user has made in /tmp.
void add_names_in_tmp(Usage& usage, const Allowance& allowance);

/// "more than 2,048 MiB of memory", or "" if it is within what is allowed.
std::string excess(const Usage& usage, const Allowance& allowance);

/// The private folders that a check has made (/tmp/kit-…), by the locks that it holds open.
std::string sandbox_of(pid_t check);

}  // namespace kit
