// What is read from the manifest and from the learner's files.

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "harness/base/address.hpp"
#include "harness/base/catch.hpp"
#include "harness/base/manifest.hpp"
#include "harness/base/sources.hpp"
#include "harness/processes/sandbox.hpp"

namespace {

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

void set_time(const std::string& path, long seconds) {
  const timespec both[2] = {{seconds, 0}, {seconds, 0}};
  utimensat(AT_FDCWD, path.c_str(), both, 0);
}

constexpr const char* text =
    "kit\t1.2\n"
    "lesson\t01_tcp_echo\ta synchronous TCP server\n"
    "program\tserver\tserver.cpp\n"
    "uses\tserver\ttcp_server.cpp\n"
    "program\tclient\tclient.cpp\n"
    "probe\tthrowing\ttests/probes/01_throwing.cpp\n"
    "uses\tprobe_throwing\ttcp_server.cpp\n"
    "task\t01.C\ttcp_server.cpp\tTCPServer::server_bind TCPServer::server_activate\n"
    "step\t01.4\t8\tcore\tserver\tchecked,plain\t60\t01.C\tlistens where it was told\n"
    "slot\ttcp_server.cpp\n"
    "slot\tbank.hpp\n"
    "something\tfor another reader\n"
    "lesson\t02_udp_echo\tdatagrams\n";

}  // namespace

TEST_CASE("the manifest") {
  const kit::Manifest manifest = kit::Manifest::parse(text, "manifest.txt");
  CHECK(manifest.version() == "1.2");
  REQUIRE(manifest.lessons().size() == 2);
  const kit::Lesson* const lesson = manifest.lesson_of("01.4");
  REQUIRE(lesson != nullptr);
  CHECK(lesson->number() == "01");
  const kit::StepEntry& step = *lesson->step("01.4");
  CHECK(step.points == 8);
  CHECK(step.builds == std::vector<std::string>{"checked", "plain"});
  CHECK(step.name() == "01.4 listens where it was told");
  CHECK(lesson->task("01.C")->symbols.size() == 2);
  CHECK(lesson->program("probe_throwing")->uses.front() == "tcp_server.cpp");
  CHECK(lesson->program("nothing") == nullptr);
  CHECK(manifest.lesson_of("09.9") == nullptr);
}

TEST_CASE("a manifest that is wrong is refused with its line") {
  CHECK_THROWS_WITH(kit::Manifest::parse("kit\t1\nslot\tx\n", "m"),
                    "m:2: 'slot' stands above the first lesson");
  CHECK_THROWS_WITH(kit::Manifest::parse("lesson\ta\tb\nstep\t01.1\tmany\n", "m"),
                    "m:2: 'step' has 'many' for a number");
  CHECK_THROWS_WITH(kit::Manifest::parse("lesson\ta\tb\nuses\tx\ty\n", "m"),
                    "m:2: 'uses' names the unknown program 'x'");
}

TEST_CASE("the line on which a symbol is defined") {
  constexpr const char* source =
      "#include \"tcp_server.hpp\"\n"                                      // 1
      "// TCPServer::server_bind() binds.\n"                               // 2
      "void UDPServer::other() { TCPServer::server_bind(); }\n"            // 3
      "void TCPServer::server_bind() {\n"                                  // 4
      "  handle(1);\n"                                                     // 5
      "}\n"                                                                // 6
      "class Other {\n"                                                    // 7
      "  void handle() override;\n"                                        // 8
      "};\n"                                                               // 9
      "class EchoHandler : public BaseRequestHandler {\n"                  // 10
      "  void handle() override {\n"                                       // 11
      "    return handle(2);\n"                                            // 12
      "  }\n"                                                              // 13
      "};\n"                                                               // 14
      "template <class Server>\n"                                          // 15
      "void ThreadingMixIn<Server>::process_request(Request request) {\n"  // 16
      "}\n"                                                                // 17
      "Bank::Bank() : total_(0) {}\n"                                      // 18
      "std::string receive_all(int fd) {\n";                               // 19
  CHECK(kit::definition_line(source, "TCPServer::server_bind") == 4);
  CHECK(kit::definition_line(source, "EchoHandler::handle") == 11);
  CHECK(kit::definition_line(source, "Other::handle") == 8);
  CHECK(kit::definition_line(source, "ThreadingMixIn::process_request") == 16);
  CHECK(kit::definition_line(source, "Bank::Bank") == 18);
  CHECK(kit::definition_line(source, "receive_all") == 19);
  CHECK(kit::definition_line(source, "nowhere") == 0);
  CHECK(kit::definition_line("", "nowhere") == 0);
}

TEST_CASE("tasks, headings and sources are found in files") {
  const kit::Sandbox place;
  const std::string folder = place.folder();
  write_file(folder + "/a.cpp", "\n// TODO(01.B): here\n");
  const kit::Place todo = kit::find_task(folder, {"01.B", "a.cpp", {"Nobody::nothing"}});
  CHECK(todo.file == "a.cpp");
  CHECK(todo.line == 2);
  CHECK(kit::find_task(folder, {"01.C", "a.cpp", {}}).line == 0);
  CHECK(kit::find_task(folder, {"01.C", "none.cpp", {"f"}}).line == 0);
  write_file(folder + "/b.cpp", "void first() {\n}\n\nvoid second() {\n}\n");
  const kit::Task both{"01.D", "b.cpp", {"first", "second"}};
  CHECK(kit::find_task(folder, both).line == 1);
  CHECK(kit::find_task(folder, both, "second").line == 4);

  kit::Lesson lesson;
  lesson.tasks = {
      {"01.E", "b.cpp", {"second"}}, {"01.D", "b.cpp", {"first"}}, {"01.B", "a.cpp", {}}};
  const auto task_at = [&](const char* file, int line) {
    const kit::Task* const task = kit::task_at(folder, lesson, {file, line}, "01.G");
    return task == nullptr ? "none" : task->id;
  };
  CHECK(task_at("b.cpp", 2) == "01.D");
  CHECK(task_at("b.cpp", 4) == "01.E");
  lesson.tasks.push_back({"01.G", "b.cpp", {"first"}});
  CHECK(task_at("b.cpp", 2) == "01.G");
  CHECK(task_at("b.cpp", 0) == "none");
  CHECK(task_at("a.cpp", 2) == "none");
  CHECK(task_at("none.cpp", 2) == "none");
  CHECK(task_at("", 0) == "none");

  write_file(folder + "/README.md", "# Lesson\n\n## 01.B A name of its own\n\n### 01.BB Another\n");
  CHECK(kit::page_heading(folder + "/README.md", "01.B") == "01.B A name of its own");
  CHECK(kit::page_heading(folder + "/README.md", "01.C").empty());
  CHECK(kit::page_heading(folder + "/none.md", "01.B").empty());
}

TEST_CASE("a program is older than what it was made from") {
  const kit::Sandbox place;
  const std::string folder = place.folder();
  kit::Lesson lesson;
  lesson.slots = {"bank.hpp", "bank.cpp", "unused.hpp"};
  const kit::ProgramEntry server{"server", "server.cpp", {"bank.cpp"}};
  write_file(folder + "/server.cpp", "#include <bank.hpp>\n  #include \"bank.hpp\"\n");
  write_file(folder + "/bank.cpp", "// #include \"unused.hpp\"\n");
  write_file(folder + "/bank.hpp", "");
  write_file(folder + "/unused.hpp", "");
  write_file(folder + "/server", "");
  const auto files = kit::files_of(folder, folder, lesson, server);
  CHECK(files == std::vector<std::string>{"server.cpp", "bank.cpp", "bank.hpp"});
  for (const char* file : {"server.cpp", "bank.cpp", "bank.hpp"}) {
    set_time(folder + '/' + file, 1000);
  }
  set_time(folder + "/server", 2000);
  CHECK(!kit::newer_than(folder + "/server", folder, files));
  set_time(folder + "/bank.hpp", 3000);
  CHECK(kit::newer_than(folder + "/server", folder, files) == "bank.hpp");

  // A probe's main is the kit's own; what it includes of the learner's counts.
  write_file(folder + "/probe.cpp", "#include \"bank.hpp\"\n");
  CHECK(kit::files_of(folder, folder, lesson, {"probe_x", "probe.cpp", {}}) ==
        std::vector<std::string>{"bank.hpp"});
}

TEST_CASE("addresses are read and written in one form") {
  for (const char* form : {"127.0.0.1:9999", "[::1]:9999", "unix:/tmp/kit.sock", "0.0.0.0:0"}) {
    const auto address = kit::Address::parse(form);
    REQUIRE(address);
    CHECK(address->text() == form);
  }
  CHECK(kit::Address::parse("localhost:80")->text() == "127.0.0.1:80");
  for (const char* wrong : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "::1:80", "[::1]",
                            "[127.0.0.1]:80", "unix:", "host:80", "127.0.0.1:80x"}) {
    INFO(wrong);
    CHECK(!kit::Address::parse(wrong));
  }
  CHECK_NOTHROW(kit::Address::unix_path(std::string(103, 'x')));
  CHECK_THROWS(kit::Address::unix_path(std::string(108, 'x')));
  CHECK(kit::Address::unix_path(std::string(103, 'x')).path().size() == 103);
}
