// A server on libmicrohttpd, GNU's library for an HTTP server inside a program: the files of one
// folder, one thread, epoll.
//
// usage: kit-bench-microhttpd --directory DIR --port N

#include <iostream>

#ifdef KIT_HAS_MICROHTTPD
#include <microhttpd.h>
#if MHD_VERSION < 0x00097100  // MHD_Result
#undef KIT_HAS_MICROHTTPD
#endif
#endif

#ifndef KIT_HAS_MICROHTTPD

int main() {
  std::cerr << "libmicrohttpd was not there when this was built, or is older than 0.9.71\n";
  return 1;
}

#else

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

// The benchmark asks for names of its own: of ".." no more is to be feared than a 404.
MHD_Result answer(void* folder, MHD_Connection* connection, const char* url, const char*,
                  const char*, const char*, std::size_t*, void** seen) {
  static int head_has_come;
  if (*seen != &head_has_come) {  // called once with the head alone, and again to be answered
    *seen = &head_has_come;
    return MHD_YES;
  }
  const std::string path = *static_cast<const std::string*>(folder) + url;
  const bool inside = path.find("..") == std::string::npos;
  const int file = inside ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC) : -1;
  struct stat about {};
  const bool found = file != -1 && ::fstat(file, &about) == 0 && S_ISREG(about.st_mode);
  MHD_Response* response =
      found ? MHD_create_response_from_fd64(static_cast<std::uint64_t>(about.st_size), file)
            : MHD_create_response_from_buffer(0, nullptr, MHD_RESPMEM_PERSISTENT);
  if (!found && file != -1) ::close(file);
  const MHD_Result queued =
      MHD_queue_response(connection, found ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND, response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--directory") folder = argv[i + 1];
    if (option == "--port")
      address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[i + 1])));
  }
  sigset_t end;  // blocked before there are threads, so that only sigwait() gets it
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &end, nullptr);
  MHD_Daemon* daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, nullptr, nullptr, answer,
                                        &folder, MHD_OPTION_SOCK_ADDR, &address,
                                        MHD_OPTION_LISTEN_BACKLOG_SIZE, 511U, MHD_OPTION_END);
  if (daemon == nullptr) {
    std::cerr << "libmicrohttpd does not start\n";
    return 1;
  }
  const auto port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
  std::cout << "listening on 127.0.0.1:" << port << std::endl;
  int signal = 0;
  sigwait(&end, &signal);
  MHD_stop_daemon(daemon);
}

#endif
