// StreamRequestHandler: a connection as a file to read lines from and a file to write to.
// The contract: stream_handler.hpp. Used by: server.cpp.

#include "stream_handler.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <socketserver/connection.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace socketserver {

// ---- reading -----------------------------------------------------------------------------------

std::string_view StreamReader::read_line([[maybe_unused]] std::size_t limit) {
  // TODO(03.D): receive until a whole line is there, and return it; at end of file, what is left.
  not_written("03.D", "StreamReader::read_line");
}

bool StreamReader::has_line() noexcept {
  // TODO(03.D): is a newline among the bytes that have come? Do not receive.
  not_written("03.D", "StreamReader::has_line");
}

// ---- writing -----------------------------------------------------------------------------------

void StreamWriter::write([[maybe_unused]] std::string_view bytes) {
  // TODO(03.E): send all of it at once (size_ is 0), or gather it, and send when it is enough.
  not_written("03.E", "StreamWriter::write");
}

void StreamWriter::flush() {
  // TODO(03.E): send what was gathered.
  not_written("03.E", "StreamWriter::flush");
}

void StreamWriter::close() {
  // TODO(03.E): send what was gathered, for the last time.
  not_written("03.E", "StreamWriter::close");
}

// ---- the handler -------------------------------------------------------------------------------

StreamRequestHandler::StreamRequestHandler(Request& request, BaseServer& server) noexcept
    : BaseRequestHandler(request, server), rfile_(request.fileno()), wfile_(request.fileno(), 0) {}

void StreamRequestHandler::setup() {
  // TODO(03.E): make wfile_ anew with wbufsize; then set what the other attributes say.
  not_written("03.E", "StreamRequestHandler::setup");
}

void StreamRequestHandler::finish() {
  // TODO(03.E): send what wfile_ still has.
  not_written("03.E", "StreamRequestHandler::finish");
}

}  // namespace socketserver
