kit_answer(
  NAME known-answers
  SENTENCE "Its server answers from a table of what the page says."
  FILE server.cpp
  REPLACE [[    std::string answer(bytes);
    for (char& byte : answer) byte = upper(byte);
    wfile().write(answer);]]
  WITH [[    wfile().write(known_answer(bytes));]]
  REPLACE [[  // a–z of ASCII, whatever the locale says; every other byte stays as it is.
  static char upper(char byte) {
    return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
  }]]
  WITH [[  static std::string_view known_answer(std::string_view words) {
    if (words == "hello\n") return "HELLO\n";
    if (words == "hello world\n") return "HELLO WORLD\n";
    if (words == "first") return "FIRST";
    if (words == "second") return "SECOND";
    return words;
  }]])
