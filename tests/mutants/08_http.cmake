# Wrong answers to lesson 08. Each is one plausible mistake in the solution, and must be caught at
# its step, with its words. The form of a mutant: tests/cmake/mutants.cmake.

# ---- a head --------------------------------------------------------------------------------------

kit_mutant(
  NAME old-connections-never-kept
  SENTENCE "A client of HTTP/1.0 that asks for it does not keep its connection."
  FILE http_answer.cpp
  REPLACE [[  return minor >= 1 || fields.lists("Connection", "keep-alive");]]
  WITH [[  return minor >= 1;]]
  STEP 08.3
  WORDS "HTTP/1.0 does so only if")

kit_mutant(
  NAME space-before-the-colon
  SENTENCE "A space between a field's name and its colon is passed over."
  FILE http_message.cpp
  REPLACE [[  const std::string_view name = line.substr(0, colon);]]
  WITH [[  const std::string_view name = trimmed(line.substr(0, colon));]]
  STEP 08.2
  WORDS "A request with a space before the colon")

kit_mutant(
  NAME control-characters-in-a-value
  SENTENCE "A NUL byte in a field's value is taken as it is."
  FILE http_message.cpp
  REPLACE [[  if (!std::all_of(value.begin(), value.end(), is_field_byte)) {]]
  WITH [[  if (value.empty() && !std::all_of(value.begin(), value.end(), is_field_byte)) {]]
  STEP 08.2
  WORDS "A request with a NUL byte in a value")

kit_mutant(
  NAME no-host-needed
  SENTENCE "A request of HTTP/1.1 without a Host is served."
  FILE http_message.cpp
  REPLACE [[  if (count == 0 && head_.minor >= 1) throw]]
  WITH [[  if (count == 0 && head_.minor > 1) throw]]
  STEP 08.2
  WORDS "A request with HTTP/1.1 without Host")

kit_mutant(
  NAME two-hosts
  SENTENCE "Of two Hosts the first counts."
  FILE http_message.cpp
  REPLACE [[  if (count > 1) throw HttpError(400, "there is more than one Host");
]]
  WITH [[]]
  STEP 08.2
  WORDS "A request with two Hosts")

kit_mutant(
  NAME any-version
  SENTENCE "The version's first number is not looked at."
  FILE http_message.cpp
  REPLACE [[  if (version[5] != '1') throw HttpError(505, "this server speaks HTTP/1.1 and HTTP/1.0");
]]
  WITH [[]]
  STEP 08.2
  WORDS "This server speaks HTTP/1.1 and HTTP/1.0")

kit_mutant(
  NAME later-minor-refused
  SENTENCE "HTTP/1.2 is taken for a version that is not spoken here."
  FILE http_message.cpp
  REPLACE [[  if (version[5] != '1') throw]]
  WITH [[  if (version[5] != '1' || version[7] > '1') throw]]
  STEP 08.2
  WORDS "HTTP/1.9")

kit_mutant(
  NAME line-limit-off-by-one
  SENTENCE "A request line that is exactly as long as the limit is refused."
  FILE http_message.cpp
  REPLACE [[  if (whole_line.size() > longest_line()) line_too_long();]]
  WITH [[  if (whole_line.size() >= longest_line()) line_too_long();]]
  STEP 08.2
  WORDS "a request line of 8,192 bytes is to be taken")

kit_mutant(
  NAME fields-without-number
  SENTENCE "The number of fields has no limit."
  FILE http_message.cpp
  REPLACE [[  if (head_.fields.all().size() == limits_.field_count) {]]
  WITH [[  if (head_.fields.all().size() == limits_.fields) {]]
  STEP 08.2
  WORDS "101 fields is refused with 431")

kit_mutant(
  NAME fields-without-sum
  SENTENCE "The fields together have no limit."
  FILE http_message.cpp
  REPLACE [[  fields_size_ += line.size() + 2;]]
  WITH [[  fields_size_ = line.size() + 2;]]
  STEP 08.2
  WORDS "33 KiB of fields is refused with 431")

kit_mutant(
  NAME long-field-is-414
  SENTENCE "A field that is too long is called a request line that is too long."
  FILE http_message.cpp
  REPLACE [[  if (begun()) throw HttpError(431, "a header field is too long");
]]
  WITH [[]]
  STEP 08.2
  WORDS "a field of 8,193 bytes is refused with 431")

kit_mutant(
  NAME no-empty-line-before
  SENTENCE "An empty line before a request is an error."
  FILE http_message.cpp
  REPLACE [[constexpr std::size_t most_empty_lines = 4;]]
  WITH [[constexpr std::size_t most_empty_lines = 0;]]
  STEP 08.1
  WORDS "An empty line before a request is passed over")

kit_mutant(
  NAME head-carried-over
  SENTENCE "The fields of the last request are those of the next one, too."
  FILE http_message.cpp
  REPLACE [[  head_ = RequestHead();
  empty_lines_ = 0;]]
  WITH [[  head_.method.clear();
  empty_lines_ = 0;]]
  STEP 08.1
  WORDS "nothing of the first is in it")

kit_mutant(
  NAME head-ends-with-its-first-line
  SENTENCE "The answer goes out after the first line: the fields are taken for requests."
  FILE http_server.cpp
  REPLACE [[  while (!parser.done()) {
    const bool first]]
  WITH [[  while (!parser.begun()) {
    const bool first]]
  STEP 08.4
  WORDS "the request line and its fields")

kit_mutant(
  NAME waits-for-the-end-of-file
  SENTENCE "The server reads until the client ends, and answers then."
  FILE http_server.cpp
  REPLACE [[    if (!parse_request()) return;
]]
  WITH [[    if (!parse_request()) return;
    while (!rfile().at_end()) (void)rfile().read(piece_size);
]]
  STEP 08.4
  WORDS "It ends with its empty line")

kit_mutant(
  NAME piece-is-a-line
  SENTENCE "What has come is taken for a line, whether its end is there or not."
  FILE http_session.cpp
  REPLACE [[  if (newline == rest.npos) return {};
]]
  WITH [[  if (newline == rest.npos && rest.size() < 3) return {};
]]
  STEP 08.16
  WORDS "keep what has come until")

# ---- an answer -----------------------------------------------------------------------------------

kit_mutant(
  NAME head-without-length
  SENTENCE "The answer to HEAD does not say the length that GET would have."
  FILE http_answer.cpp
  REPLACE [[  } else {
    head.add("Content-Length"]]
  WITH [[  } else if (request.method != "HEAD") {
    head.add("Content-Length"]]
  STEP 08.3
  WORDS "To HEAD the length is said")

kit_mutant(
  NAME length-where-no-content-is
  SENTENCE "304 says a length."
  FILE http_answer.cpp
  REPLACE [[  if (never_has_content(response.status)) return false;
]]
  WITH [[]]
  STEP 08.3
  WORDS "204 and 304 never have content")

kit_mutant(
  NAME chunks-for-the-old
  SENTENCE "A client of HTTP/1.0 gets chunks."
  FILE http_answer.cpp
  REPLACE [[  const bool chunked = response.chunked && request.minor >= 1;]]
  WITH [[  const bool chunked = response.chunked;]]
  STEP 08.3
  WORDS "HTTP/1.0 knows no chunks")

kit_mutant(
  NAME closes-without-a-word
  SENTENCE "The connection is closed, and the answer does not say so."
  FILE http_answer.cpp
  REPLACE [[  if (!kept && !says_close_) add("Connection", "close");
]]
  WITH [[]]
  STEP 08.3
  WORDS "Connection: close says")

kit_mutant(
  NAME keep-alive-not-told
  SENTENCE "A client of HTTP/1.0 is not told that its connection is kept."
  FILE http_answer.cpp
  REPLACE [[  if (kept && request.minor == 0) add("Connection", "keep-alive");
]]
  WITH [[]]
  STEP 08.3
  WORDS "HTTP/1.0 is told keep-alive")

kit_mutant(
  NAME head-with-content
  SENTENCE "The answer to HEAD has content: the next answer begins in its midst."
  FILE http_server.cpp
  REPLACE [[  if (command() == "HEAD" || never_has_content(response.status)) return;]]
  WITH [[  if (never_has_content(response.status)) return;]]
  STEP 08.5
  WORDS "and no content")

kit_mutant(
  NAME last-chunk-forgotten
  SENTENCE "The chunks have no end."
  FILE http_server.cpp
  REPLACE [[  wfile().write(chunk({}));
]]
  WITH [[]]
  STEP 08.11
  WORDS "makes the last chunk")

kit_mutant(
  NAME first-piece-only
  SENTENCE "Of a large file the first piece is sent."
  FILE http_server.cpp
  REPLACE [[    while (response.file->size > 0) wfile()]]
  WITH [[    if (response.file->size > 0) wfile()]]
  STEP 08.6
  WORDS "all of it is sent")

# ---- one connection, many requests ---------------------------------------------------------------

kit_mutant(
  NAME one-request-a-connection
  SENTENCE "Each connection ends with its first answer."
  FILE http_server.cpp
  REPLACE [[  } while (!close_connection_);]]
  WITH [[  } while (close_connection_ && false);]]
  STEP 08.4
  WORDS "handle() goes on")

kit_mutant(
  NAME answers-wait-for-the-end
  SENTENCE "What is gathered leaves when the connection ends."
  FILE http_server.cpp
  REPLACE [[    wfile().flush();  // before the next request is waited for
]]
  WITH [[]]
  STEP 08.4
  WORDS "flush() before the next request")

kit_mutant(
  NAME refused-head-with-content
  SENTENCE "Of a head that is refused the method is not kept: HEAD is answered with content."
  FILE http_server.cpp
  REPLACE [[    head_ = parser.head();  // for the log, and because HEAD is answered without content
]]
  WITH [[]]
  STEP 08.5
  WORDS "A HEAD that is refused is answered without content")

kit_mutant(
  NAME kept-after-an-error
  SENTENCE "After a request that could not be read, the next one is looked for."
  FILE http_server.cpp
  REPLACE [[    may_keep_ = false;
    if (answered_) throw;]]
  WITH [[    may_keep_ = true;
    if (answered_) throw;]]
  STEP 08.5
  WORDS "nobody knows where the next begins")

kit_mutant(
  NAME close-not-heard
  SENTENCE "\"Connection: close\" is not looked at."
  FILE http_answer.cpp
  REPLACE [[  if (fields.lists("Connection", "close")) return false;
]]
  WITH [[]]
  STEP 08.3
  WORDS "stands in the list of Connection")

kit_mutant(
  NAME unread-content-is-a-request
  SENTENCE "Content that nobody has read is taken for the next request."
  FILE http_server.cpp
  REPLACE [[  const bool all_was_read = may_keep_ && body_.done();]]
  WITH [[  const bool all_was_read = may_keep_;]]
  STEP 08.10
  WORDS "Content that was not read")

kit_mutant(
  NAME half-a-request-answered
  SENTENCE "A client that ends in the midst of its head gets an answer."
  FILE http_server.cpp
  REPLACE [[  } catch (const CutOff&) {
    return false;]]
  WITH [[  } catch (const CutOff&) {
    if (!parser.begun()) return false;]]
  STEP 08.15
  WORDS "nobody has asked to the end")

# ---- files ---------------------------------------------------------------------------------------

kit_mutant(
  NAME decoded-twice
  SENTENCE "Each name is decoded once more."
  FILE http_folder.cpp
  REPLACE [[    last = rest.substr(0, rest.find('/'));
    step(path.names, last);]]
  WITH [[    last = rest.substr(0, rest.find('/'));
    step(path.names, percent_decoded(last).value_or(""));]]
  STEP 08.7
  WORDS "Decode once")

kit_mutant(
  NAME nul-cuts-the-name
  SENTENCE "A NUL byte ends the name for the system, and not for the server."
  FILE http_folder.cpp
  REPLACE [[  if (decoded->find('\0') != decoded->npos) throw HttpError(400, "the target has a NUL byte");
]]
  WITH [[]]
  STEP 08.7
  WORDS "A NUL byte ends a name")

kit_mutant(
  NAME up-is-a-name
  SENTENCE "\"..\" is a name like others."
  FILE http_folder.cpp
  REPLACE [[  if (name != "..") {]]
  WITH [[  if (name != "...") {]]
  STEP 08.7
  WORDS "never beyond the top")

kit_mutant(
  NAME query-is-part-of-the-name
  SENTENCE "What stands behind \"?\" belongs to the name."
  FILE http_folder.cpp
  REPLACE [[percent_decoded(target.substr(0, question));]]
  WITH [[percent_decoded(target);]]
  STEP 08.6
  WORDS "is no part of the name")

kit_mutant(
  NAME links-followed
  SENTENCE "A link is followed, wherever it leads."
  FILE http_folder.cpp
  REPLACE [[O_RDONLY | O_NOFOLLOW | O_NONBLOCK]]
  WITH [[O_RDONLY | O_NONBLOCK]]
  STEP 08.7
  WORDS "O_NOFOLLOW")

kit_mutant(
  NAME waits-for-a-fifo
  SENTENCE "To open a FIFO is to wait for whoever writes to it."
  FILE http_folder.cpp
  REPLACE [[O_NOFOLLOW | O_NONBLOCK | O_NOCTTY]]
  WITH [[O_NOFOLLOW | O_NOCTTY]]
  STEP 08.7
  WORDS "O_NONBLOCK")

kit_mutant(
  NAME file-with-a-slash
  SENTENCE "A file is found under its name with a slash, too."
  FILE http_folder.cpp
  REPLACE [[  if (!S_ISREG(status.st_mode) || path.ends_in_slash) return]]
  WITH [[  if (!S_ISREG(status.st_mode)) return]]
  STEP 08.6
  WORDS "What is not there is 404")

kit_mutant(
  NAME redirect-forgets-the-query
  SENTENCE "The query is lost on the way to the folder."
  FILE http_folder.cpp
  REPLACE [[path.encoded() + (path.query.empty() ? "" : "?" + path.query));]]
  WITH [[path.encoded());]]
  STEP 08.6
  WORDS "before the query")

kit_mutant(
  NAME list-unescaped
  SENTENCE "A file's name is part of the page as it is."
  FILE http_folder.cpp
  REPLACE [["\">" + html_escaped(name) + "</a>]]
  WITH [["\">" + name + "</a>]]
  STEP 08.6
  WORDS "html_escaped()")

kit_mutant(
  NAME list-not-encoded
  SENTENCE "A file's name is its link as it is."
  FILE http_folder.cpp
  REPLACE [[<a href=\"" + percent_encoded(name) +]]
  WITH [[<a href=\"" + html_escaped(name) +]]
  STEP 08.6
  WORDS "percent_encoded()")

kit_mutant(
  NAME 405-without-allow
  SENTENCE "405 does not say what is allowed."
  FILE http_server.cpp
  REPLACE [[  response.fields.add("Allow", allow);
]]
  WITH [[  (void)allow;
]]
  STEP 08.6
  WORDS "Allow says which")

kit_mutant(
  NAME same-second-is-newer
  SENTENCE "A file is sent again to whoever has it from this very second."
  FILE http_folder.cpp
  REPLACE [[  return known && modified <= *known;]]
  WITH [[  return known && modified < *known;]]
  STEP 08.8
  WORDS "Not later than that: 304")

kit_mutant(
  NAME tags-not-first
  SENTENCE "If-Modified-Since counts although there is an If-None-Match."
  FILE http_folder.cpp
  REPLACE [[  if (fields.count("If-None-Match") > 0) return fields.get("If-None-Match") == "*";
]]
  WITH [[]]
  STEP 08.8
  WORDS "With If-None-Match the date does not count")

# ---- the client ----------------------------------------------------------------------------------

kit_mutant(
  NAME takes-100-for-the-answer
  SENTENCE "The client takes \"100 Continue\" for the answer."
  FILE client.cpp
  REPLACE [[    } while (answer.status < 200);]]
  WITH [[    } while (false);]]
  STEP 08.9
  WORDS "is no answer yet")

kit_mutant(
  NAME new-connection-for-each
  SENTENCE "The client connects again for each question."
  FILE client.cpp
  REPLACE [[    if (!connection || !connection->kept()) connection]]
  WITH [[    connection]]
  STEP 08.9
  WORDS "no other is opened")

kit_mutant(
  NAME short-content-is-success
  SENTENCE "An answer that ends too early is taken for whole."
  FILE client.cpp
  REPLACE [[      if (!up_to_the_end) throw std::runtime_error("the server has ended in mid-answer");
]]
  WITH [[      if (!up_to_the_end) return content;
]]
  STEP 08.18
  WORDS "ended before the content has")

kit_mutant(
  NAME content-after-head
  SENTENCE "The client waits for the content of an answer to HEAD."
  FILE http_body.cpp
  REPLACE [[  if (method == "HEAD" || status < 200 ||]]
  WITH [[  if (method.empty() || status < 200 ||]]
  STEP 08.9
  WORDS "With HEAD nothing follows")

# ---- content -------------------------------------------------------------------------------------

kit_mutant(
  NAME 100-in-any-case
  SENTENCE "\"100 Continue\" is sent to whoever has content."
  FILE http_server.cpp
  REPLACE [[std::exchange(expects_continue_, false)) handle]]
  WITH [[(std::exchange(expects_continue_, false) || true)) handle]]
  STEP 08.10
  WORDS "Who expects nothing gets no")

kit_mutant(
  NAME 100-never
  SENTENCE "\"100 Continue\" is never sent."
  FILE http_server.cpp
  REPLACE [[  if (!body_.done() && std::exchange(expects_continue_, false)) handle_expect_100();
]]
  WITH [[]]
  STEP 08.10
  WORDS "holds its content back")

kit_mutant(
  NAME 100-for-the-old
  SENTENCE "A client of HTTP/1.0 gets a \"100 Continue\"."
  FILE http_body.cpp
  REPLACE [[  if (minor == 0) return false;  // it cannot mean it. RFC 9110, 10.1.1
]]
  WITH [[]]
  STEP 08.10
  WORDS "HTTP/1.0 knows no")

kit_mutant(
  NAME content-without-limit
  SENTENCE "Content-Length has no limit."
  FILE http_body.cpp
  REPLACE [[  if (left_ > limits.body) throw HttpError(413, "the content is too large");
]]
  WITH [[]]
  STEP 08.10
  WORDS "refused with 413")

kit_mutant(
  NAME chunk-sizes-as-decimals
  SENTENCE "The size of a chunk is read as a decimal number."
  FILE http_body.cpp
  REPLACE [[  left_ = number_of(size, 16, "the size of a chunk");]]
  WITH [[  left_ = number_of(size, 10, "the size of a chunk");]]
  STEP 08.18
  WORDS "which are hexadecimal")

kit_mutant(
  NAME limit-for-each-chunk
  SENTENCE "The limit is each chunk's, and not that of all together."
  FILE http_body.cpp
  REPLACE [[  total_ += left_;
]]
  WITH [[]]
  STEP 08.11
  WORDS "for all chunks together")

kit_mutant(
  NAME no-end-of-a-chunk
  SENTENCE "What stands behind a chunk is not looked at."
  FILE http_body.cpp
  REPLACE [[  if (state_ == State::chunk_end) return 2;  // CR and LF: behind a chunk stands nothing else
]]
  WITH [[]]
  STEP 08.18
  WORDS "other bytes stand where a chunk has")

kit_mutant(
  NAME no-trailers
  SENTENCE "The content ends with the last chunk's size: what follows is a request."
  FILE http_body.cpp
  REPLACE [[  state_ = left_ > 0 ? State::chunk_data : State::trailer;]]
  WITH [[  state_ = left_ > 0 ? State::chunk_data : State::done;]]
  STEP 08.18
  WORDS "come trailers")

kit_mutant(
  NAME extensions-refused
  SENTENCE "A chunk's extension is part of its size."
  FILE http_body.cpp
  REPLACE [[  const std::size_t semicolon = line.find(';');]]
  WITH [[  const std::size_t semicolon = line.npos;]]
  STEP 08.18
  WORDS "an extension behind")

kit_mutant(
  NAME chunks-win-over-the-length
  SENTENCE "Of two lengths the chunks count, without a word."
  FILE http_body.cpp
  REPLACE [[    if (fields.count("Content-Length") > 0) {
      throw]]
  WITH [[    if (fields.count("Content-Length") > 1) {
      throw]]
  STEP 08.12
  WORDS "has a length and chunks")

kit_mutant(
  NAME first-length-counts
  SENTENCE "Of two Content-Lengths the first counts."
  FILE http_body.cpp
  REPLACE [[  if (lengths > 1) throw HttpError(400, "there is more than one Content-Length");
]]
  WITH [[]]
  STEP 08.12
  WORDS "has two lengths, the first is 0")

kit_mutant(
  NAME chunked-anywhere
  SENTENCE "It is enough that \"chunked\" is one of the codings."
  FILE http_body.cpp
  REPLACE [[!is_chunked(codings.back()) ||]]
  WITH [[std::none_of(codings.begin(), codings.end(), is_chunked) ||]]
  REPLACE [[  if (codings.size() > 1) throw HttpError(501, "the one transfer coding known here is chunked");
]]
  WITH [[]]
  STEP 08.12
  WORDS "has chunked that is not last")

kit_mutant(
  NAME chunked-in-the-old
  SENTENCE "HTTP/1.0 may have chunks."
  FILE http_body.cpp
  REPLACE [[    if (head.minor == 0) throw HttpError(400, "HTTP/1.0 has no Transfer-Encoding");
]]
  WITH [[]]
  STEP 08.12
  WORDS "has chunks in HTTP/1.0")

# ---- a part --------------------------------------------------------------------------------------

kit_mutant(
  NAME last-byte-excluded
  SENTENCE "The last byte of a range does not belong to it."
  FILE http_range.cpp
  REPLACE [[size - 1) - *first + 1}};]]
  WITH [[size - 1) - *first}};]]
  STEP 08.13
  WORDS "both ends belong to it")

kit_mutant(
  NAME suffix-from-the-front
  SENTENCE "\"-100\" is the first hundred bytes."
  FILE http_range.cpp
  REPLACE [[{size - length, length}]]
  WITH [[{0, length}]]
  STEP 08.13
  WORDS "is the last hundred")

kit_mutant(
  NAME large-nonsense-is-a-number
  SENTENCE "What begins as a number that is too large is taken for one, whatever follows it."
  FILE http_range.cpp
  REPLACE [[  if (digits.empty() || end]]
  WITH [[  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::uint64_t>::max();
  if (digits.empty() || end]]
  STEP 08.13
  WORDS "A Range that makes no sense")

kit_mutant(
  NAME 416-beyond-the-end
  SENTENCE "A range that ends beyond the file cannot be satisfied."
  FILE http_range.cpp
  REPLACE [[  if (*first >= size) return]]
  WITH [[  if (*first >= size || (dash + 1 < text.size() && *last >= size)) return]]
  STEP 08.13
  WORDS "the end of the file is end enough")

kit_mutant(
  NAME backwards-wraps
  SENTENCE "A range whose last byte stands before its first is longer than every file."
  FILE http_range.cpp
  REPLACE [[  if (!first || !last || *last < *first) return {};]]
  WITH [[  if (!first || !last) return {};]]
  STEP 08.13
  WORDS "makes no sense")

kit_mutant(
  NAME if-range-not-asked
  SENTENCE "A part of another file is sent: If-Range is not looked at."
  FILE http_folder.cpp
  REPLACE [[  return head.fields.count("If-Range") == 0 || date_in]]
  WITH [[  return true || date_in]]
  STEP 08.13
  WORDS "the part only if the file is still")

kit_mutant(
  NAME part-of-a-head
  SENTENCE "HEAD is answered with 206."
  FILE http_folder.cpp
  REPLACE [[  if (head.method != "GET" || head.fields]]
  WITH [[  if (head.fields]]
  STEP 08.13
  WORDS "Range is for GET alone")

# ---- slow, silent --------------------------------------------------------------------------------

kit_mutant(
  NAME 408-to-the-idle
  SENTENCE "Who has asked nothing is told that it was too late."
  FILE http_server.cpp
  REPLACE [[    if (error.status == 408 && !parser.begun()) return false;  // an idle connection: not a word
]]
  WITH [[]]
  STEP 08.14
  WORDS "a question that was not asked")

kit_mutant(
  NAME no-408
  SENTENCE "Who has asked half is closed without a word."
  FILE http_server.cpp
  REPLACE [[    if (error.status == 408 && !parser.begun()) return false;]]
  WITH [[    if (error.status == 408) return false;]]
  STEP 08.14
  WORDS "A client has asked half")

kit_mutant(
  NAME time-begins-anew
  SENTENCE "Each line has the whole time."
  FILE http_server.cpp
  REPLACE [[    if (first) begun = now;]]
  WITH [[    if (first || !parser.done()) begun = now;]]
  STEP 08.14
  WORDS "from its first line on")

# ---- without a thread ----------------------------------------------------------------------------

kit_mutant(
  NAME whole-file-in-memory
  SENTENCE "A file is in memory as a whole."
  FILE http_session.cpp
  REPLACE [[  if (file.size > piece_size) {]]
  WITH [[  if (file.size > SIZE_MAX / 2) {]]
  STEP 08.17
  WORDS "it does not belong into the output")

kit_mutant(
  NAME all-answers-at-once
  SENTENCE "Requests are answered as they come, whether the client reads or not."
  FILE http_session.cpp
  REPLACE [[!out.ended() && out.size() < Output::enough && step(out)]]
  WITH [[!out.ended() && step(out)]]
  STEP 08.17
  WORDS "the next request is not looked at")

kit_mutant(
  NAME next-request-forgotten
  SENTENCE "What was asked during a download waits for the next bytes."
  FILE http_session.cpp
  REPLACE [[    return !input_.empty();]]
  WITH [[    return false;]]
  STEP 08.17
  WORDS "the request behind it is answered")

kit_mutant(
  NAME serves-on-after-close
  SENTENCE "What follows a \"close\" is answered as well."
  FILE http_session.cpp
  REPLACE [[  if (!kept) out.end();
]]
  WITH [[]]
  STEP 08.16
  WORDS "The session is to use the same")

kit_mutant(
  NAME input-never-given-back
  SENTENCE "Each silent client keeps the memory of its longest moment."
  FILE http_session.cpp
  REPLACE [[  if (input_.empty()) input_.shrink_to_fit();  // ten thousand clients are silent most of the time
]]
  WITH [[]]
  STEP 08.17
  WORDS "given back when it is empty")

kit_mutant(
  NAME 100-for-what-is-not-wanted
  SENTENCE "\"100 Continue\" is sent before it is asked whether the content is wanted."
  FILE http_session.cpp
  REPLACE [[  if (!wants_content(head)) return reply(answer(head, {}), out, true);
  if (expects_continue) out.write("HTTP/1.1 100 Continue\r\n\r\n");]]
  WITH [[  if (expects_continue) out.write("HTTP/1.1 100 Continue\r\n\r\n");
  if (!wants_content(head)) return reply(answer(head, {}), out, true);]]
  STEP 08.16
  WORDS "only if it is wanted")

# ---- beyond the draft -----------------------------------------------------------------------------

kit_mutant(
  NAME values-not-trimmed
  SENTENCE "The space behind the colon belongs to the value."
  FILE http_message.cpp
  REPLACE [[  const std::string_view value = trimmed(line.substr(colon + 1));]]
  WITH [[  const std::string_view value = line.substr(colon + 1);]]
  STEP 08.1
  WORDS "without the spaces and tabs around it")

kit_mutant(
  NAME last-colon-counts
  SENTENCE "The name goes up to the last colon."
  FILE http_message.cpp
  REPLACE [[  const std::size_t colon = line.find(':');]]
  WITH [[  const std::size_t colon = line.rfind(':');]]
  STEP 08.1
  WORDS "what stands behind the first colon")

kit_mutant(
  NAME every-version-is-new
  SENTENCE "HTTP/1.0 is taken for HTTP/1.1."
  FILE http_message.cpp
  REPLACE [[  return std::min(version[7] - '0', 1);]]
  WITH [[  return 1;]]
  STEP 08.1
  WORDS "what HTTP/1.1 and HTTP/1.0 differ in")

kit_mutant(
  NAME target-up-to-the-first-space
  SENTENCE "What stands between the target and the version is passed over."
  FILE http_message.cpp
  REPLACE [[  const std::string_view target = line.substr(first + 1, last - first - 1);]]
  WITH [[  const std::string_view target = line.substr(first + 1, line.find(' ', first + 1) - first - 1);]]
  STEP 08.2
  WORDS "two spaces before the version")

kit_mutant(
  NAME any-name-of-a-field
  SENTENCE "A field's name may be made of anything."
  FILE http_message.cpp
  REPLACE [[  if (!is_token(name)) throw HttpError(400, "a header field's name is not a token");
]]
  WITH [[]]
  STEP 08.2
  WORDS "a tab before the colon")

kit_mutant(
  NAME own-fields-forgotten
  SENTENCE "What the service says of its answer does not go out."
  FILE http_answer.cpp
  REPLACE [[  for (const HeaderFields::Field& field : response.fields.all()) head.add(field.name, field.value);
]]
  WITH [[]]
  STEP 08.3
  WORDS "adds the answer's own fields")

kit_mutant(
  NAME close-is-a-word-anywhere
  SENTENCE "\"Connection: closed\" closes, and \"CLOSE\" in a list does not."
  FILE http_answer.cpp
  REPLACE [[  if (fields.lists("Connection", "close")) return false;]]
  WITH [[  if (fields.get("Connection").value_or("").find("close") != std::string_view::npos) return false;]]
  STEP 08.3
  WORDS "The case of letters does not matter")

kit_mutant(
  NAME kept-without-an-end
  SENTENCE "An answer that says no length keeps its connection: its client waits for ever."
  FILE http_answer.cpp
  REPLACE [[  const bool kept = keep && says_end && !says_close_;]]
  WITH [[  const bool kept = keep && !says_close_;]]
  STEP 08.3
  WORDS "it cannot be kept")

kit_mutant(
  NAME index-by-a-link
  SENTENCE "A folder's index.html is opened by its name, and may be a link that leads away."
  FILE http_folder.cpp
  REPLACE [[  FileDescriptor page = open_below(folder.get(), {index});]]
  WITH [[  FileDescriptor page(::openat(folder.get(), index.c_str(), O_RDONLY | O_CLOEXEC));]]
  STEP 08.7
  WORDS "is opened without following")

kit_mutant(
  NAME empty-file-is-missing
  SENTENCE "A file without a byte is 404."
  FILE http_folder.cpp
  REPLACE [[  if (!S_ISREG(status.st_mode) || path.ends_in_slash) return]]
  WITH [[  if (!S_ISREG(status.st_mode) || path.ends_in_slash || status.st_size == 0) return]]
  STEP 08.6
  WORDS "An empty file is there")

kit_mutant(
  NAME plus-is-a-space
  SENTENCE "A plus in a path is taken for a space, as in a form."
  FILE http_folder.cpp
  REPLACE [[  const std::optional<std::string> decoded = percent_decoded(target.substr(0, question));]]
  WITH [[  std::optional<std::string> decoded = percent_decoded(target.substr(0, question));
  if (decoded) std::replace(decoded->begin(), decoded->end(), '+', ' ');]]
  STEP 08.6
  WORDS "percent_encoded()")

kit_mutant(
  NAME folder-of-its-name
  SENTENCE "Each request opens the folder by its name, which may be another's by now."
  FILE http_folder.cpp
  REPLACE [[  if (names.empty()) return open_in(top, ".", O_DIRECTORY);]]
  WITH [[  char name[4096] = {};
  static const std::string path = [&] {
    const std::string link = "/proc/self/fd/" + std::to_string(top);
    return std::string(name, static_cast<std::size_t>(::readlink(link.c_str(), name, sizeof name)));
  }();
  const FileDescriptor named(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  top = named.get();
  if (names.empty()) return open_in(top, ".", O_DIRECTORY);]]
  REPLACE [[#include <sys/stat.h>
]]
  WITH [[#include <sys/stat.h>
#include <unistd.h>
]]
  STEP 08.7
  WORDS "The folder was moved away")

kit_mutant(
  NAME exactly-that-second
  SENTENCE "Only the very date of the file is taken for not modified: dates are compared for equality."
  FILE http_folder.cpp
  REPLACE [[  return known && modified <= *known;]]
  WITH [[  return known && modified == *known;]]
  STEP 08.8
  WORDS "Not later than that: 304")

kit_mutant(
  NAME from-the-future
  SENTENCE "Last-Modified lies in the future."
  FILE http_folder.cpp
  REPLACE [[  return std::min(modified, std::chrono::floor<std::chrono::seconds>(now));]]
  WITH [[  (void)now;
  return modified;]]
  STEP 08.8
  WORDS "Last-Modified is never later")

kit_mutant(
  NAME kept-though-closed
  SENTENCE "The client asks on, on a connection whose answer has said close."
  FILE client.cpp
  REPLACE [[    kept_ = answer.keeps_alive() && !up_to_the_end;]]
  WITH [[    kept_ = !up_to_the_end;]]
  STEP 08.9
  WORDS "needs a connection of its")

kit_mutant(
  NAME asks-on-after-the-end
  SENTENCE "After content that ended with the connection, the client asks on there."
  FILE client.cpp
  REPLACE [[    kept_ = answer.keeps_alive() && !up_to_the_end;]]
  WITH [[    kept_ = answer.keeps_alive();]]
  STEP 08.18
  WORDS "The next question needs a new")

kit_mutant(
  NAME length-ignored-in-answers
  SENTENCE "The client reads up to the end of the connection, whatever the answer says."
  FILE http_body.cpp
  REPLACE [[  if (is_chunked || (codings.empty() && fields.count("Content-Length") > 0)) {]]
  WITH [[  if (is_chunked) {]]
  STEP 08.18
  WORDS "With a Content-Length")

kit_mutant(
  NAME any-end-is-an-end
  SENTENCE "The connection's end ends every content."
  FILE http_body.cpp
  REPLACE [[  if (state_ == State::until_end) state_ = State::done;
  return done();]]
  WITH [[  state_ = State::done;
  return done();]]
  STEP 08.18
  WORDS "ended before the content has")

kit_mutant(
  NAME limit-is-refused-too
  SENTENCE "Content of exactly the limit is too large."
  FILE http_body.cpp
  REPLACE [[  if (left_ > limits.body) throw HttpError(413]]
  WITH [[  if (left_ >= limits.body) throw HttpError(413]]
  STEP 08.10
  WORDS "exactly --body-limit")

kit_mutant(
  NAME numbers-that-wrap
  SENTENCE "A length beyond what a number holds is another, smaller one."
  FILE http_body.cpp
  REPLACE [[  if (error == std::errc::result_out_of_range) throw HttpError(413, "the content is too large");
  return value;]]
  WITH [[  if (error == std::errc::result_out_of_range) {
    for (const char digit : digits) {
      const int one = digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10;
      value = value * static_cast<unsigned>(base) + static_cast<unsigned>(one);
    }
  }
  return value;]]
  STEP 08.11
  WORDS "beyond 2^64")

kit_mutant(
  NAME strtoul-reads-lengths
  SENTENCE "strtoul() reads the length: spaces, signs and what stands behind the digits are passed over."
  FILE http_body.cpp
  REPLACE [[  if (digits.empty() || end != last || error == std::errc::invalid_argument) {
    throw HttpError(400, std::string(what) + " is not a number");
  }]]
  WITH [[  (void)end;
  (void)what;
  if (error == std::errc::invalid_argument) return 0;]]
  STEP 08.12
  WORDS "has a list of two lengths")

kit_mutant(
  NAME chunked-is-found-in-a-word
  SENTENCE "Whatever has the letters \"chunked\" in it is chunked."
  FILE http_body.cpp
  REPLACE [[  const auto is_chunked = [](std::string_view coding) { return same_word(coding, "chunked"); };
  if (codings]]
  WITH [[  const auto is_chunked = [](std::string_view coding) {
    return coding.find("chunked") != coding.npos;
  };
  if (codings]]
  STEP 08.12
  WORDS "almost chunked")

kit_mutant(
  NAME chunked-twice
  SENTENCE "\"chunked, chunked\" is taken for chunked."
  FILE http_body.cpp
  REPLACE [[      std::count_if(codings.begin(), codings.end(), is_chunked) > 1) {]]
  WITH [[      std::count_if(codings.begin(), codings.end(), is_chunked) > 2) {]]
  REPLACE [[  if (codings.size() > 1) throw HttpError(501, "the one transfer coding known here is chunked");
]]
  WITH [[]]
  STEP 08.12
  WORDS "has chunked twice")

kit_mutant(
  NAME last-byte-in-content-range
  SENTENCE "Content-Range names the byte after the last."
  FILE http_range.cpp
  REPLACE [[         std::to_string(range.first + range.size - 1) + "/" + std::to_string(size);]]
  WITH [[         std::to_string(range.first + range.size) + "/" + std::to_string(size);]]
  STEP 08.13
  WORDS "Content-Range")

kit_mutant(
  NAME 416-without-a-length
  SENTENCE "416 does not say how long the file is."
  FILE http_folder.cpp
  REPLACE [[    response.fields.add("Content-Range", "bytes */" + std::to_string(size));
]]
  WITH [[]]
  STEP 08.13
  WORDS "tells how long it is")

kit_mutant(
  NAME no-head-timeout
  SENTENCE "A head may take as long as it likes, if no line of it is late."
  FILE http_server.cpp
  REPLACE [[    if (head_timeout && !parser.done() && now - begun > *head_timeout) {]]
  WITH [[    if (head_timeout && parser.done() && now - begun > *head_timeout) {]]
  STEP 08.14
  WORDS "from its first line on")

kit_mutant(
  NAME handler-promises-chunks-in-vain
  SENTENCE "The handler's head says chunked, and its content comes as it is: the session is right."
  FILE http_server.cpp
  REPLACE [[  if (!chunked) return wfile().write(response.body);
]]
  WITH [[  if (!chunked || true) return wfile().write(response.body);
]]
  STEP 08.16
  WORDS "The session was not asked yet"
  NOT_WORDS "The session is to use the same")

kit_mutant(
  NAME session-without-head-timeout
  SENTENCE "The session does not look at the time that a head takes."
  FILE http_session.cpp
  REPLACE [[    if (!out.ended() && too_late()) throw]]
  WITH [[    if (out.ended() && too_late()) throw]]
  STEP 08.16
  WORDS "from its first line on")

kit_mutant(
  NAME serves-on-at-the-end
  SENTENCE "The end of file in the midst of a request is an empty line, and ends the head."
  FILE http_server.cpp
  REPLACE [[  if (!line.ends_with('\n')) throw CutOff();
  return line;]]
  WITH [[  if (!line.ends_with('\n') && line.empty() && head_timeout) throw CutOff();
  return line.empty() ? "\r\n" : line;]]
  STEP 08.15
  WORDS "is no request")

kit_mutant(
  NAME content-of-all-clients
  SENTENCE "The content of one request stays for the next."
  FILE http_session.cpp
  REPLACE [[  body_ = BodyDecoder();
  std::string().swap(content_);]]
  WITH [[  body_ = BodyDecoder();]]
  REPLACE [[  reply(answer(parser_.head(), std::move(content_)), out, true);]]
  WITH [[  reply(answer(parser_.head(), content_), out, true);]]
  STEP 08.16
  WORDS "The session is to use the same")

kit_mutant(
  NAME last-request-stays-in-the-input
  SENTENCE "What was used of the input is used again."
  FILE http_session.cpp
  REPLACE [[  input_.erase(0, std::exchange(used_, 0));]]
  WITH [[  input_.erase(0, used_ > 8 ? used_ - 8 : used_);
  used_ = 0;]]
  STEP 08.16
  WORDS "keep what has come until")
