/* accept.h - one connection after the other on a port of 127.0.0.1, for floors
 * that block */
#ifndef FLOOR_ACCEPT_H
#define FLOOR_ACCEPT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static int check(int result, const char *what) {
  if (result >= 0)
    return result;
  perror(what);
  exit(1);
}

static int listen_at(const char *port) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  at.sin_port = htons((uint16_t)atoi(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int server = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  check(bind(server, (struct sockaddr *)&at, sizeof at), "bind");
  check(listen(server, 2), "listen");
  return server;
}

static int accept_one(int server) {
  return check(accept(server, NULL, NULL), "accept");
}

#endif
