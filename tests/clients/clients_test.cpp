// Real clients on lesson 08's server, over each of its designs: curl, wget, Python's http.client,
// and ab and wrk as load. One that is not installed is left out, with a word.

#include <stdio.h>
#include <sys/wait.h>

#include <fstream>
#include <string>
#include <vector>

#include "bench/client_socket.hpp"
#include "bench/http_files.hpp"
#include "bench/server_process.hpp"
#include "harness/base/catch.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;

struct Said {
  std::string text;  // on both of its outputs
  int status = -1;
};

Said run(const std::string& command) {
  Said said;
  FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  char bytes[4096];
  for (std::size_t size = 0; (size = ::fread(bytes, 1, sizeof bytes, pipe)) > 0;)
    said.text.append(bytes, size);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) said.status = WEXITSTATUS(status);
  return said;
}

bool is_installed(const std::string& program) {
  if (run("command -v " + program).status == 0) return true;
  WARN(program << " is not installed, and is left out");
  return false;
}

// What it must say, all of it.
void expect(const std::string& command, const std::string& text) {
  const Said said = run(command);
  INFO(command);
  CHECK(said.text == text);
  CHECK(said.status == 0);
}

// What must stand somewhere in it, and what must not.
void expect_words(const std::string& command, const std::vector<std::string>& words,
                  const std::vector<std::string>& not_words = {}) {
  const Said said = run(command);
  INFO(command << "\n" << said.text);
  CHECK(said.status == 0);
  for (const std::string& word : words) CHECK(said.text.find(word) != std::string::npos);
  for (const std::string& word : not_words) CHECK(said.text.find(word) == std::string::npos);
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

// A folder, and the server that shows it.
class Site {
 public:
  explicit Site(const std::string& design)
      : large(bench::http_content(300'000)),
        server_((prepare(folder_.path(), large),
                 std::vector<std::string>{KIT_HTTP_SERVER, "--quiet", "--design", design,
                                          "--directory", folder_.path().string(), "--port", "0"}),
                {}) {}

  [[nodiscard]] std::string url(const std::string& path) const {
    return "http://" + server_.address().text() + path;
  }
  [[nodiscard]] std::string file(const std::string& name) const {
    return (folder_.path() / name).string();
  }
  [[nodiscard]] std::uint16_t port() const { return server_.address().port(); }

  const std::string large;

 private:
  static void prepare(const fs::path& folder, const std::string& large) {
    write(folder / "a.txt", "hello, client\n");
    write(folder / "b.txt", "and again\n");
    write(folder / "large", large);
  }

  bench::TemporaryFolder folder_;
  bench::ServerProcess server_;
};

const std::vector<std::string> designs{"sync", "threads", "forks", "selector"};

// To a synchronous server a second client that keeps its connection would wait for the first.
std::string most_kept(const std::string& design) {
  return design == "sync" ? "1" : "4";
}

}  // namespace

TEST_CASE("curl, over each design", "[clients]") {
  if (!is_installed("curl")) return;
  const std::string curl = "curl -q -sS --http1.1 --noproxy '*' --max-time 100 ";
  for (const std::string& design : designs) {
    const Site site(design);
    INFO(design);
    expect(curl + "-w '%{num_connects}\\n' " + site.url("/a.txt") + " " + site.url("/b.txt"),
           "hello, client\n1\nand again\n0\n");  // one connection for both
    expect(curl + site.url("/large"), site.large);
    expect(curl + "-r 7-12 " + site.url("/a.txt"), "client");
    expect_words(curl + "-I " + site.url("/a.txt"), {"HTTP/1.1 200", "Content-Length: 14\r\n"});
    expect_words(curl + "-i " + site.url("/missing"), {"HTTP/1.1 404"});
    expect_words(curl + "-i --path-as-is " + site.url("/../../etc/passwd"), {"HTTP/1.1 404"},
                 {"root:"});
    for (const char* field : {"'Expect: 100-continue'", "'Transfer-Encoding: chunked'"})
      expect(
          curl + "-H " + field + " --data-binary @" + site.file("a.txt") + " " + site.url("/upper"),
          "HELLO, CLIENT\n");
  }
}

TEST_CASE("wget, over each design", "[clients]") {
  if (!is_installed("wget")) return;
  const std::string wget = "wget --no-config -q --no-proxy --tries=1 --timeout=100 -O - ";
  for (const std::string& design : designs) {
    const Site site(design);
    INFO(design);
    expect(wget + site.url("/a.txt") + " " + site.url("/b.txt"), "hello, client\nand again\n");
    expect(wget + site.url("/large"), site.large);
  }
}

TEST_CASE("Python's http.client, over each design", "[clients]") {
  if (!is_installed("python3")) return;
  const std::string program = R"(
import http.client, sys
client = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=100)
for method, path, content in (("GET", "/a.txt", None), ("HEAD", "/large", None),
                              ("POST", "/upper", "content"), ("GET", "/missing", None),
                              ("POST", "/upper", iter([b"chunk", b"s"])), ("GET", "/b.txt", None)):
    client.request(method, path, content)
    socket = client.sock
    answer = client.getresponse()
    content = answer.read()
    shown = content.decode().strip() if answer.status == 200 else "-"
    print(answer.status, shown, "kept" if client.sock is socket else "closed")
)";
  for (const std::string& design : designs) {
    const Site site(design);
    INFO(design);
    write(site.file("client.py"), program);
    expect("python3 " + site.file("client.py") + " " + std::to_string(site.port()),
           "200 hello, client kept\n200  kept\n200 CONTENT kept\n404 - kept\n200 CHUNKS kept\n"
           "200 and again kept\n");
  }
}

TEST_CASE("ab as load, over each design", "[clients]") {
  if (!is_installed("ab")) return;
  const std::string ab = "ab -q -s 100 -n 200 ";
  const std::vector<std::string> all_well{"Complete requests:      200\n",
                                          "Failed requests:        0\n"};
  for (const std::string& design : designs) {
    const Site site(design);
    INFO(design);
    expect_words(ab + "-c 4 " + site.url("/a.txt"), all_well, {"Non-2xx"});
    expect_words(ab + "-k -c " + most_kept(design) + " " + site.url("/large"), all_well,
                 {"Non-2xx", "Keep-Alive requests:    0\n"});
  }
}

TEST_CASE("wrk as load, over each design", "[clients]") {
  if (!is_installed("wrk")) return;
  for (const std::string& design : designs) {
    const Site site(design);
    INFO(design);
    expect_words("wrk -t 1 -d 1s --timeout 100s -c " + most_kept(design) + " " + site.url("/a.txt"),
                 {" requests in "}, {"Non-2xx", "Socket errors"});
  }
}

}  // namespace kit
