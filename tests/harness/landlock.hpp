#pragma once

// Landlock: the kernel's own list of what a process may do with files, and that it may signal
// nobody outside (Linux; landlock(7)). A process that is confined stays so, and so does all that it
// starts. It needs no rights, and no library: the calls are made raw.

#include <string>
#include <vector>

namespace kit {

/// Files and folders that a confined process may use; all others are closed to it. What does not
/// exist is left out.
struct Confinement {
  std::vector<std::string> readable;  ///< to read and to execute
  std::vector<std::string> writable;  ///< to read, write, create and remove
  std::vector<std::string> meeting;   ///< folders to make and remove folders and sockets in
};

/// The version of the kernel's Landlock: 1 for files, 6 and later for signals too; 0: it has none.
int landlock_version() noexcept;

/// Confines this process, for good. Call between fork and exec, with no_new_privs set.
/// False: the kernel has no Landlock, or refuses.
bool confine(const Confinement& confinement) noexcept;

/// What every program needs to be started: the system's own files and the devices that are
/// nobody's.
Confinement system_files();

}  // namespace kit
