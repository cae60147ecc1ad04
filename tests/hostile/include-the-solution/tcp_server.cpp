#include "@ROOT@/solutions/01_tcp_echo/tcp_server.cpp"
