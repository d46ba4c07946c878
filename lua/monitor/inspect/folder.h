/* folder.h - where the socket of a program is; see folder.c */
#ifndef AWM_FOLDER_H
#define AWM_FOLDER_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

/* A socket that listens. */
typedef struct awm_place {
  char path[sizeof((struct sockaddr_un *)0)->sun_path];
  int folder; /* a descriptor of the folder, or -1: there is no socket */
  int socket;
  dev_t device; /* of the socket's file, to know it again */
  ino_t file;
} awm_place;

/* Why there is no socket: a code, and what it is about, for a SystemError. */
typedef struct awm_fault {
  int code;
  char about[256];
} awm_fault;

/* Make the folder, if there is none, and the socket of this process. Returns
 * false, with `fault` filled, if one of them cannot be made, or is not safe.
 * Call from: any thread. */
bool awm_place_open(awm_place *out, awm_fault *fault);

/* Remove the socket's file, if it is still that of `place`. Call from: also the
 * end of the process. */
void awm_place_remove(const awm_place *place);

/* Close the descriptors. Call from: also a forked process. */
void awm_place_close(awm_place *place);

#endif
