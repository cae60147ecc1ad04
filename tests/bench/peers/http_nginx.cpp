// Becomes nginx, set up as the benchmark's other servers are: the files of one folder, one worker,
// no log. nginx cannot be asked for any free port: so the socket is made here, and handed over as
// nginx hands it over to its own successor (its environment variable NGINX).
//
// usage: kit-bench-nginx --directory DIR --port N

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <socketserver/address.hpp>
#include <socketserver/system_call.hpp>
#include <stdexcept>
#include <string>

namespace {

namespace fs = std::filesystem;

using socketserver::Address;
using socketserver::check;

std::string nginx_program() {
  for (const char* folder :
       {"/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"}) {
    const fs::path program = fs::path(folder) / "nginx";
    if (::access(program.c_str(), X_OK) != 0) continue;
    if (std::system((program.string() + " -e stderr -v 2>/dev/null").c_str()) == 0) {
      return program.string();
    }
    throw std::runtime_error("nginx is older than 1.19.5");
  }
  throw std::runtime_error("nginx is not installed");
}

// Everything that it writes stands in `papers`.
std::string configuration(const std::string& address, const fs::path& files,
                          const fs::path& papers) {
  std::string text = "daemon off;\nworker_processes 1;\nerror_log stderr crit;\n";
  if (::geteuid() == 0) text += "user root root;\n";  // or the worker could not read the folder
  text += "pid " + (papers / "pid").string() + ";\n";
  text += "events { worker_connections 1024; }\nhttp {\n  access_log off;\n  sendfile on;\n";
  text += "  keepalive_requests 100000000;\n";  // as it comes it is 1000, then the connection ends
  for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    text += "  " + std::string(kind) + "_temp_path " + (papers / kind).string() + ";\n";
  text += "  server { listen " + address + "; root " + files.string() + "; }\n}\n";
  return text;
}

int listener_at(int port) {
  const int listener = check(::socket(AF_INET, SOCK_STREAM, 0), "socket");
  const Address address = Address::inet("127.0.0.1", static_cast<std::uint16_t>(port));
  check(::bind(listener, address.data(), address.size()), "bind");
  check(::listen(listener, 511), "listen");  // what nginx itself asks for
  check(::fcntl(listener, F_SETFL, O_NONBLOCK), "fcntl");
  return listener;
}

[[noreturn]] void become_nginx(const fs::path& files, int port) {
  const std::string program = nginx_program();
  const fs::path papers = files / ".nginx";
  fs::create_directories(papers);
  const int listener = listener_at(port);
  const std::string address = Address::of_socket(listener).text();
  const std::string settings = (papers / "nginx.conf").string();
  std::ofstream(settings) << configuration(address, files, papers);
  check(::setenv("NGINX", (std::to_string(listener) + ";").c_str(), 1), "setenv");
  std::cout << "listening on " << address << std::endl;
  ::execl(program.c_str(), program.c_str(), "-p", papers.c_str(), "-c", settings.c_str(), "-e",
          "stderr", static_cast<char*>(nullptr));
  socketserver::throw_system_error("execl");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::string files;
    int port = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
      if (std::string(argv[i]) == "--directory") files = argv[i + 1];
      if (std::string(argv[i]) == "--port") port = std::stoi(argv[i + 1]);
    }
    if (files.empty()) throw std::runtime_error("usage: kit-bench-nginx --directory DIR --port N");
    become_nginx(files, port);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
  }
  return 1;
}
