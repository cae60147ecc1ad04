// Makes folders in /tmp. Bounded: 2,000, gone in 20 s.
#include <sys/stat.h>
#include <unistd.h>

#include <string>

int main() {
  alarm(20);
  const std::string folder = "/tmp/@MARK@-folders";
  mkdir(folder.c_str(), 0777);
  for (int i = 0; i < 2'000; ++i) mkdir((folder + "/" + std::to_string(i)).c_str(), 0777);
  for (;;) pause();
}
