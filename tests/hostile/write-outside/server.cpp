// Writes to files of the kit, of the grader and of everybody. Bounded: a few bytes each.
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include <filesystem>
#include <initializer_list>
#include <string>

void write_to(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (fd < 0) return;
  [[maybe_unused]] const auto n = write(fd, "was here\n", 9);
  close(fd);
}

int main() {
  alarm(20);
  for (const char* folder : {"@TRIAL@", "/tmp", "/var/tmp", "/dev/shm", "@ROOT@", "@BUILD@"}) {
    write_to(std::string(folder) + "/@MARK@");
  }
  // Folders may be made there, for sockets: they must not stay.
  std::error_code ignored;
  std::filesystem::create_directory("/tmp/@MARK@-folder", ignored);
  write_to("/tmp/@MARK@-folder/file");
  write_to("@TRIAL@/canary");
  write_to("@TRIAL@/grades/class.csv");
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           "@TRIAL@", std::filesystem::directory_options::skip_permission_denied, error)) {
    write_to(entry.path().string());
  }
  shmget(0x4b4954, 1 << 16, IPC_CREAT | 0666);
  for (;;) pause();
}
