#include <socketserver/system_call.hpp>

namespace socketserver {

void throw_system_error(const char* call, int error) {
  throw std::system_error(error, std::generic_category(), call);
}

}  // namespace socketserver
