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
  std::vector<std::string> executable{};  ///< to read and to execute
  std::vector<std::string> readable{};    ///< to read
  std::vector<std::string> writable{};    ///< to read, write, execute, create and remove
  std::vector<std::string> meeting{};     ///< folders to make and remove folders and sockets in
};

/// The version of the kernel's Landlock: 1 for files, 6 and later for signals too; 0: it has none.
int landlock_version() noexcept;

/// Whether a part of the cell is to be left out, to see how it is without: KIT_WITHOUT names some
/// of "landlock", "users", "network" and "recorder" (a step is then judged as on a system that has
/// none: by what goes over the wire).
bool is_left_out(const std::string& part) noexcept;

/// From now on this process and all that it starts reach, by signals and by abstract Unix sockets,
/// one another and nobody else: a check can end all processes of its step's user, and none of
/// another check that happens to use the same one. Sets no_new_privs. False: the kernel cannot
/// (Landlock 6 or later can).
bool keep_inside() noexcept;

/// Confines this process, for good; it can signal nobody but what it starts. Call between fork and
/// exec, with no_new_privs set. False: the kernel has no Landlock, or refuses.
bool confine(const Confinement& confinement) noexcept;

/// The system's own files and the devices that are nobody's: what compilers and linkers need.
Confinement system_files();

/// What a program needs that was built by them: the loader, the libraries of C and C++ and of the
/// sanitizers, the settings of the system; and no compiler, linker or other program.
Confinement program_files();

}  // namespace kit
