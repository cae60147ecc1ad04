// What linkers and compilers say, and what the kit makes of it.

#include "words.hpp"

#include <map>

#include "harness/base/catch.hpp"

using namespace kit;

namespace {

const std::vector<MissingFunction> holes{
    {"01.B", "TCPServer::server_bind", "lessons/01_tcp_echo/tcp_server.cpp"},
    {"01.D", "TCPServer::server_close", "lessons/01_tcp_echo/tcp_server.cpp"},
    {"01.F", "EchoHandler::handle", "lessons/01_tcp_echo/server.cpp"},
    {"04.B", "ThreadingMixIn::process_request", "lessons/04_threading/threading_mixin.hpp"},
};

std::optional<std::string> no_text(const std::string&) {
  return std::nullopt;
}

const std::string bind_line =
    "not written: TCPServer::server_bind (01.B)  lessons/01_tcp_echo/tcp_server.cpp";
const std::string close_line =
    "not written: TCPServer::server_close (01.D)  lessons/01_tcp_echo/tcp_server.cpp";

void check_both_named(const std::string& said) {
  const Words words = translate_link(said, holes, no_text);
  CHECK(words.not_written == std::vector<std::string>{close_line, bind_line});
  CHECK(words.rest == "");
}

}  // namespace

TEST_CASE("GNU ld's undefined references become what is not written") {
  check_both_named(
      "/usr/bin/ld: obj/server.cpp.o: in function `main':\n"
      "server.cpp:(.text+0x1c): undefined reference to `socketserver::TCPServer::server_close()'\n"
      "/usr/bin/ld: server.cpp:(.text+0x3c): undefined reference to "
      "`socketserver::TCPServer::server_close()'\n"
      "/usr/bin/ld: obj/server.cpp.o:(.data.rel.ro+0x28): undefined reference to "
      "`non-virtual thunk to socketserver::TCPServer::server_bind()'\n"
      "/usr/bin/ld: server.cpp:(.text+0x4c): more undefined references to `f()' follow\n"
      "collect2: error: ld returned 1 exit status\n");
}

TEST_CASE("gold's, lld's and Apple's words become the same") {
  check_both_named(
      "main.o:main.cpp:function main: error: undefined reference to "
      "'socketserver::TCPServer::server_close()'\n"
      "main.o:main.cpp:vtable: error: undefined reference to "
      "'socketserver::TCPServer::server_bind()'\n"
      "/usr/bin/ld.gold: the vtable symbol may be undefined because the class is missing its key "
      "function\ncollect2: error: ld returned 1 exit status\n");
  check_both_named(
      "ld.lld: error: undefined symbol: socketserver::TCPServer::server_close()\n"
      ">>> referenced by main.cpp\n"
      ">>>               main.o:(main)\n"
      "\n"
      "ld.lld: error: undefined symbol: socketserver::TCPServer::server_bind()\n"
      ">>> referenced by main.cpp\n"
      "clang: error: linker command failed with exit code 1 (use -v to see invocation)\n");
  check_both_named(
      "Undefined symbols for architecture arm64:\n"
      "  \"socketserver::TCPServer::server_close()\", referenced from:\n"
      "      _main in main.o\n"
      "  \"socketserver::TCPServer::server_bind()\", referenced from:\n"
      "      vtable for socketserver::TCPServer in main.o\n"
      "ld: symbol(s) not found for architecture arm64\n"
      "clang: error: linker command failed with exit code 1 (use -v to see invocation)\n");
}

TEST_CASE("a missing virtual table names the class's functions that are not in the source") {
  const std::string said =
      "main.cpp:(.text+0xc): undefined reference to `vtable for socketserver::TCPServer'\n";
  SECTION("none of them is") {
    CHECK(translate_link(said, holes, no_text).not_written ==
          std::vector<std::string>{bind_line, close_line});
  }
  SECTION("one is") {
    const auto text = [](const std::string&) { return "void TCPServer::server_close () {}"; };
    CHECK(translate_link(said, holes, text).not_written == std::vector<std::string>{bind_line});
  }
  SECTION("all are: then the linker's words stay") {
    const auto text = [](const std::string&) {
      return "void TCPServer::server_close() {}\nvoid TCPServer::server_bind() {}";
    };
    const Words words = translate_link(said, holes, text);
    CHECK(words.not_written.empty());
    CHECK(words.rest == said);
  }
}

TEST_CASE("what is no hole stays as the linker says it") {
  const std::string other = "x.cpp:(.text+0x1): undefined reference to `helper(int)'\n";
  const std::string twice = "ld: x.o: multiple definition of `main'; y.o: first defined here\n";
  const Words words = translate_link(
      other + "a.o: undefined reference to `EchoHandler::handle()'\n" + twice, holes, no_text);
  CHECK(words.not_written == std::vector<std::string>{"not written: EchoHandler::handle (01.F)  "
                                                      "lessons/01_tcp_echo/server.cpp"});
  CHECK(words.rest == other + twice);
}

TEST_CASE("names are found under templates, namespaces and parameters") {
  CHECK(plain_name("socketserver::TCPServer::server_close()") == "TCPServer::server_close");
  CHECK(plain_name("(anonymous namespace)::EchoHandler::handle()") == "EchoHandler::handle");
  CHECK(plain_name("socketserver::ThreadingMixIn<socketserver::TCPServer>::process_request("
                   "socketserver::Request&)") == "ThreadingMixIn::process_request");
  CHECK(plain_name("std::string socketserver::read<int>(std::vector<int>)") == "read");
  CHECK(plain_name("socketserver::name[abi:cxx11](int) const") == "name");
}

TEST_CASE("a compiler's words are kept if they are about the candidate's files") {
  const std::string said =
      "In file included from /out/src/server.cpp:1:\n"
      "/etc/shadow:1:1: error: 'root' does not name a type\n"
      "    1 | root:secret:\n"
      "      | ^~~~\n"
      "/out/src/server.cpp: In function 'int main()':\n"
      "/out/src/server.cpp:4:3: error: 'x' was not declared in this scope\n"
      "    4 |   x;\n"
      "      |   ^\n"
      "/usr/include/c++/12/vector:7:1: note: declared here\n"
      "    7 | secret\n"
      "compilation terminated.\n";
  CHECK(own_words(said, "/out/src", "lessons/01_tcp_echo") ==
        "lessons/01_tcp_echo/server.cpp: In function 'int main()':\n"
        "lessons/01_tcp_echo/server.cpp:4:3: error: 'x' was not declared in this scope\n"
        "    4 |   x;\n"
        "      |   ^\n");
  CHECK(own_words(said, "/out/src", "lessons/01_tcp_echo", 2) ==
        "lessons/01_tcp_echo/server.cpp: In function 'int main()':\n"
        "lessons/01_tcp_echo/server.cpp:4:3: error: 'x' was not declared in this scope\n"
        "(and 2 more lines)\n");
}

TEST_CASE("clang's snippets, which have no margin, are kept and left out alike") {
  const std::string said =
      "/etc/shadow:1:1: error: unknown type name 'root'\n"
      "root:secret:\n"
      "^\n"
      "/out/src/server.cpp:4:3: error: use of undeclared identifier 'x'\n"
      "  x;\n"
      "  ^\n"
      "2 errors generated.\n";
  CHECK(own_words(said, "/out/src", "mine") ==
        "mine/server.cpp:4:3: error: use of undeclared identifier 'x'\n  x;\n  ^\n");
}

TEST_CASE("a missing header is recognised by its whole name") {
  CHECK(misses_header("x.cpp:1:10: fatal error: bank.hpp: No such file or directory", "bank.hpp"));
  CHECK(misses_header("x.cpp:1:10: fatal error: 'bank.hpp' file not found", "bank.hpp"));
  CHECK_FALSE(
      misses_header("x.cpp:1:10: fatal error: my_bank.hpp: No such file or directory", "bank.hpp"));
  CHECK_FALSE(misses_header("x.cpp:1:10: error: bank.hpp", "bank.hpp"));
}

TEST_CASE("a slot of comments and includes says nothing") {
  CHECK(says_nothing(""));
  CHECK(says_nothing("// a slot\n\n#include \"/solutions/tcp_server.cpp\"\n/* int x; */\n"));
  CHECK(says_nothing("  #include_next <tcp_server.cpp>"));
  CHECK_FALSE(says_nothing("#include <vector>\nint x;\n"));
}
