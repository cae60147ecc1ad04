kit_answer(
  NAME one-answer-for-all
  SENTENCE "Lines are read up to an empty one, and then comes the answer."
  FILE http_server.cpp
  REPLACE [[    if (!parse_request()) return;
    may_keep_ = true;
    call_method();]]
  WITH [[    for (std::string_view line; line != "\r\n";) {
      line = rfile().read_line(65536);
      if (line.empty()) return;
    }
    close_connection_ = false;
    wfile().write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n");]])
