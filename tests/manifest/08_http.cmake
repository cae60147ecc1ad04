# Lesson 08: what the learner writes, and what is checked. Ids are stable: they stand in grade books.
# A draft, for -DKIT_DRAFTS=ON alone, never configured yet: no starter exists, and steps 08.6, 08.9 to
# 08.11, 08.13 to 08.15 and 08.17 have no test case.
kit_lesson(08_http "a browser is the client")

kit_header(http_server.hpp)
kit_program(server server.cpp SLOTS http_message.cpp http_answer.cpp http_body.cpp http_path.cpp http_folder.cpp http_range.cpp http_server.cpp http_session.cpp)
kit_program(client client.cpp SLOTS http_message.cpp http_body.cpp)

#        task  file              what is written there
kit_task(08.A http_message.cpp  HeadParser::take_line HeadParser::take_request_line add_field)
kit_task(08.B http_answer.cpp   ResponseHead::finish describe)
kit_task(08.C http_server.cpp   BaseHTTPRequestHandler::handle_one_request BaseHTTPRequestHandler::parse_request)
kit_task(08.D http_folder.cpp   Folder::answer)
kit_task(08.E client.cpp        HttpConnection::ask)
kit_task(08.F http_body.cpp     BodyDecoder::BodyDecoder)
kit_task(08.G http_body.cpp     BodyDecoder::begin_chunk chunk)
kit_task(08.H http_body.cpp     BodyDecoder::BodyDecoder)
kit_task(08.I http_range.cpp    range_of)
kit_task(08.J http_server.cpp   BaseHTTPRequestHandler::read_in_time)
kit_task(08.K http_server.cpp   BaseHTTPRequestHandler::handle)
kit_task(08.L http_session.cpp  HttpSession::work HttpSession::more)

#        step  points     program task  what a learner can say of it
kit_step(08.1   6 core   server 08.A "a head is read, in whatever pieces it comes")
kit_step(08.2   8 core   server 08.A "what is no request is refused, in bounded memory" BUILDS checked plain)
kit_step(08.3   6 core   server 08.B "an answer says where it ends")
kit_step(08.4   6 core   server 08.C "one connection, many requests, and who else waits")
kit_step(08.5   6 core   server 08.C "requests in one piece, close, HTTP/1.0")
kit_step(08.6   8 core   server 08.D "files of a folder, with their type and length")
kit_step(08.7   8 core   server 08.D "never a byte from outside the folder")
kit_step(08.8   4 core   server 08.D "what has not changed is not sent again")
kit_step(08.9   8 core   client 08.E "several questions on one connection")
kit_step(08.10  6 harden server 08.F "content has a length, and a limit")
kit_step(08.11  6 harden server 08.G "chunks in, chunks out")
kit_step(08.12  6 harden server 08.H "a request with two lengths is refused")
kit_step(08.13  5 harden server 08.I "a part of a file")
kit_step(08.14  4 harden server 08.J "slow, silent and vanished clients")
kit_step(08.15  3 harden server 08.K "the end: answers go out, idle connections close")
kit_step(08.16  5 harden server 08.L "the same rules without a thread")
kit_step(08.17  5 harden server 08.L "slow readers and floods in bounded memory" BUILDS plain)
