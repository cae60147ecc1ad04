# Lesson 02: what the learner writes, and what is checked. Ids are stable: they stand in grade books.
kit_lesson(02_udp_echo "datagrams")

kit_program(server server.cpp SLOTS udp_server.cpp)
kit_program(client client.cpp)
kit_probe(orders SLOTS udp_server.cpp)
kit_probe(attributes SLOTS udp_server.cpp)

#        task  file            what is written there
kit_task(02.A client.cpp      send_datagram receive_answer)
kit_task(02.B client.cpp      ask)
kit_task(02.C udp_server.cpp  UDPServer::server_bind UDPServer::server_activate)
kit_task(02.D udp_server.cpp  UDPServer::get_request UDPServer::shutdown_request UDPServer::close_request)
kit_task(02.E udp_server.cpp  DatagramRequestHandler::setup DatagramRequestHandler::finish)
kit_task(02.F server.cpp      EchoHandler::handle)
kit_task(02.G client.cpp      receive_answer)
kit_task(02.H udp_server.cpp  DatagramRequestHandler::setup)
kit_task(02.I udp_server.cpp  DatagramRequestHandler::finish)
kit_task(02.J udp_server.cpp  UDPServer::server_bind)

#        step  points     program task  what a learner can say of it
kit_step(02.1   8 core   client 02.A "sends one datagram and prints the answer")
kit_step(02.2  10 core   client 02.B "waits for each try, tries again, then fails with a sentence")
kit_step(02.3   8 core   server 02.C "answers, from its own port")
kit_step(02.4   8 core   server 02.D "two clients in turn each get their own answer")
kit_step(02.5  12 core   server 02.D "one datagram in, one out: never merged, never split")
kit_step(02.6   7 core   server 02.F "an empty datagram is a message and has an answer")
kit_step(02.7   7 core   server 02.D "65,507 bytes come back whole")
kit_step(02.8   7 harden client 02.G "takes an answer only from the server it asked")
kit_step(02.9   6 harden server 02.H "a datagram that is too long is reported and not half-answered")
kit_step(02.10  8 harden probe  02.I "a handler that throws, or never writes, sends nothing" PROBES orders)
kit_step(02.11 12 harden probe  02.I "signals, a vanished client, an answer too long: the server lives" PROBES orders)
kit_step(02.12  7 harden server 02.J "a second server on the port fails" PROBES attributes)
