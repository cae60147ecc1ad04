#include_next "tcp_server.cpp"
