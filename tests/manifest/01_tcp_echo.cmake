# Lesson 01: what the learner writes, and what is checked. Ids are stable: they stand in grade books.
kit_lesson(01_tcp_echo "a synchronous TCP server")

kit_program(server server.cpp SLOTS tcp_server.cpp)
kit_program(client client.cpp)
kit_probe(throwing SLOTS tcp_server.cpp)
kit_probe(unread SLOTS tcp_server.cpp)

#        task  file            what is written there
kit_task(01.A client.cpp      connect_to send_all half_close receive_all)
kit_task(01.B tcp_server.cpp  TCPServer::server_bind)
kit_task(01.C tcp_server.cpp  TCPServer::server_activate)
kit_task(01.D tcp_server.cpp  TCPServer::server_close)
kit_task(01.E tcp_server.cpp  TCPServer::get_request TCPServer::shutdown_request TCPServer::close_request)
kit_task(01.F server.cpp      EchoHandler::handle)
kit_task(01.G server.cpp      EchoHandler::handle)
kit_task(01.H server.cpp      EchoHandler::handle)
kit_task(01.I tcp_server.cpp  TCPServer::shutdown_request)
kit_task(01.J tcp_server.cpp  TCPServer::server_bind)

#        step  points     program task  what a learner can say of it
kit_step(01.1   8 core   client 01.A "sends its words and a newline, half-closes, prints the answer")
kit_step(01.2   6 core   client 01.A "puts together an answer that comes in pieces, until end of file")
kit_step(01.3   4 core   client 01.A "says that nobody listens, or that the connection was reset, and fails")
kit_step(01.4   8 core   server 01.B "listens where it was told, and nowhere else, and says so")
kit_step(01.5  10 core   server 01.F "answers one client in upper case, byte for byte")
kit_step(01.6   8 core   server 01.E "answers client after client, each from the start")
kit_step(01.7   8 core   server 01.F "a message in pieces comes back whole")
kit_step(01.8   8 core   server 01.F "many messages in one piece, 64 KiB, an empty connection")
kit_step(01.9  12 harden server 01.G "short reads, short writes and signals change nothing")
kit_step(01.10 12 harden server 01.H "a rude client harms nobody")
kit_step(01.11  6 harden probe  01.I "an exception in a handler ends that request alone, and is reported")
kit_step(01.12  5 harden probe  01.I "the client sees end of file, not a reset, though input was left unread")
kit_step(01.13  5 harden server 01.J "restarts on its port at once")
