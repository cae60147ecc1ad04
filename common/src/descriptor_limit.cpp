#include <sys/resource.h>
#include <socketserver/descriptor_limit.hpp>

#include <algorithm>
#include <climits>

namespace socketserver {

std::size_t raise_descriptor_limit(std::size_t wanted) noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == -1) return 0;
  rlimit larger = limit;
  larger.rlim_cur = limit.rlim_max;
#if defined(__APPLE__)
  larger.rlim_cur = std::min<rlim_t>(limit.rlim_max, OPEN_MAX);  // setrlimit(2): no more than that
#endif
  if (larger.rlim_cur < wanted) larger.rlim_cur = larger.rlim_max = wanted;
  // Only root may raise the hard limit; everybody may raise the soft one up to it.
  if (::setrlimit(RLIMIT_NOFILE, &larger) == -1) {
    larger = limit;
    larger.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &larger) == -1) return static_cast<std::size_t>(limit.rlim_cur);
  }
  return static_cast<std::size_t>(larger.rlim_cur);
}

}  // namespace socketserver
