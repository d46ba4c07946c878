/* key_file.c - see key_file.h */
#include "security/key_file.h"

#include "base/system.h"

#include <uv.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- reading ---- */

enum { LARGEST = 16 * 1024 };

/* A file in memory, and how far it is read. */
typedef struct reader {
  char text[LARGEST + 1];
  awz_keys *keys;
  awz_key_note *note;
  bool in_curve;
} reader;

static int bad(reader *r, const char *why) {
  r->note->fault = why;
  return -EBADMSG;
}

/* Check that there is nothing but a comment. */
static bool ends(const char *text) {
  while (isspace((unsigned char)*text))
    text++;
  return *text == '\0' || *text == '#';
}

/* Find the value in the rest of a line, after the name. Cuts the text after the
 * value. Returns NULL if there is none. */
static char *value_in(char *text) {
  while (isspace((unsigned char)*text))
    text++;
  if (*text++ != '=')
    return NULL;
  while (isspace((unsigned char)*text))
    text++;
  char *end = *text == '"' || *text == '\'' ? strchr(text + 1, *text) : NULL;
  if (end) {
    *end = '\0';
    return ends(end + 1) ? text + 1 : NULL;
  }
  end = text + strcspn(text, "# \t\r");
  if (!ends(end))
    return NULL;
  *end = '\0';
  return text;
}

static int read_key(reader *r, char *text, char out[AWZ_KEY_SIZE]) {
  unsigned char bytes[AWZ_KEY_BYTES];
  const char *value = value_in(text);
  int rc = value ? awz_raw_decode_key(bytes, value) : -EINVAL;
  awio_wipe(bytes, sizeof bytes);
  if (rc == -EINVAL)
    return bad(r, "a key is 40 characters of Z85, in quotes");
  if (rc == 0 && !*out)
    memcpy(out, value, AWZ_KEY_SIZE);
  return rc;
}

/* Read a line of section `curve`, from its name on. */
static int read_entry(reader *r, char *line) {
  static const char public_name[] = "public-key", secret_name[] = "secret-key";
  size_t length = strcspn(line, "= \t\r#");
  if (length == strlen(public_name) && !strncmp(line, public_name, length))
    return read_key(r, line + length, r->keys->public_key);
  if (length == strlen(secret_name) && !strncmp(line, secret_name, length))
    return read_key(r, line + length, r->keys->secret);
  return 0;
}

static int read_line(reader *r, char *line) {
  enum { INDENT = 4 };
  size_t indent = strspn(line, " ");
  if (ends(line))
    return 0;
  if (indent % INDENT != 0 || line[indent] == '\t')
    return bad(r, "each level is indented by four spaces");
  if (indent == 0)
    r->in_curve = strncmp(line, "curve", 5) == 0 && ends(line + 5);
  return indent == INDENT && r->in_curve ? read_entry(r, line + indent) : 0;
}

static int read_lines(reader *r) {
  int rc = 0;
  for (char *line = r->text; rc == 0 && *line;) {
    char *end = line + strcspn(line, "\n");
    char *next = *end ? end + 1 : end;
    *end = '\0';
    r->note->line++;
    rc = read_line(r, line);
    line = next;
  }
  return rc;
}

/* Compute the public key, and compare it with that of the file. */
static int complete(reader *r) {
  static const char none[] = "0000000000000000000000000000000000000000";
  char computed[AWZ_KEY_SIZE];
  awz_keys *keys = r->keys;
  r->note->line = 0;
  if (strcmp(keys->secret, none) == 0)
    *keys->secret = '\0';
  if (!*keys->secret)
    return *keys->public_key ? 0 : bad(r, "it has no key in a section 'curve'");
  int rc = awz_raw_public_key(computed, keys->secret);
  if (rc < 0)
    return rc;
  if (*keys->public_key && strcmp(computed, keys->public_key) != 0)
    return bad(r, "its public key and its secret key are no pair");
  memcpy(keys->public_key, computed, sizeof computed);
  return 0;
}

static int read_all(int fd, char *text, size_t *size) {
  *size = 0;
  while (*size < LARGEST) {
    ssize_t count = awio_read(fd, text + *size, LARGEST - *size);
    if (count <= 0)
      return (int)count;
    *size += (size_t)count;
  }
  return -EFBIG;
}

static int read_open_file(reader *r, int fd) {
  struct stat about;
  size_t size;
  if (fstat(fd, &about) < 0)
    return -errno;
  if (!S_ISREG(about.st_mode))
    return S_ISDIR(about.st_mode) ? -EISDIR : -EINVAL;
  int rc = read_all(fd, r->text, &size);
  if (rc < 0)
    return rc;
  if (memchr(r->text, '\0', size))
    return bad(r, "it is no text");
  r->text[size] = '\0';
  rc = read_lines(r);
  if (rc == 0)
    rc = complete(r);
  if (*r->keys->secret)
    r->note->shared = about.st_mode & (S_IRWXG | S_IRWXO);
  return rc;
}

int awz_key_file_load(const char *path, awz_keys *keys, awz_key_note *note) {
  *note = (awz_key_note){0};
  memset(keys, 0, sizeof *keys);
  /* A FIFO must not block the open. */
  int fd = awio_open(path, O_RDONLY | O_NONBLOCK, 0);
  if (fd < 0)
    return fd;
  reader r;
  r.keys = keys;
  r.note = note;
  r.in_curve = false;
  int rc = read_open_file(&r, fd);
  close(fd);
  awio_wipe(&r, sizeof r);
  if (rc < 0)
    awio_wipe(keys, sizeof *keys);
  return rc;
}

/* ---- writing ---- */

enum { FORMAT_SIZE = 1024 };

static size_t format_keys(char out[FORMAT_SIZE], const awz_keys *keys) {
  bool secret = *keys->secret;
  int size = snprintf(
      out, FORMAT_SIZE,
      "#   ZeroMQ CURVE %s Certificate, written by aiowire\n"
      "#   %s\n"
      "\n"
      "metadata\n"
      "curve\n"
      "    public-key = \"%s\"\n"
      "%s%s%s",
      secret ? "**Secret**" : "Public",
      secret ? "Give this file to nobody, and keep its mode."
             : "Send it to peers by a way that nobody can tamper with.",
      keys->public_key, secret ? "    secret-key = \"" : "", keys->secret,
      secret ? "\"\n" : "");
  return (size_t)size;
}

/* Open a new file beside `path`. Other users may not foresee its name, and
 * O_EXCL follows no link.
 *
 *   name  receives its path
 *
 * Returns its descriptor or -errno. */
static int open_temporary(const char *path, char name[PATH_MAX]) {
  enum { TRIES = 10 };
  int fd = -EEXIST;
  for (int i = 0; i < TRIES && fd == -EEXIST; i++) {
    uint64_t random;
    int rc = uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    if (rc < 0)
      return rc;
    int size = snprintf(name, PATH_MAX, "%s.%016llx", path,
                        (unsigned long long)random);
    if (size >= PATH_MAX)
      return -ENAMETOOLONG;
    fd = awio_open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                   S_IRUSR | S_IWUSR);
  }
  return fd;
}

static int write_text(int fd, const char *text, size_t size) {
  while (size > 0) {
    ssize_t count = awio_write(fd, text, size);
    if (count < 0)
      return (int)count;
    text += count;
    size -= (size_t)count;
  }
  return fsync(fd) < 0 ? -errno : 0;
}

static int write_keys(int fd, const awz_keys *keys) {
  char text[FORMAT_SIZE];
  size_t size = format_keys(text, keys);
  /* The umask may have taken bits away. */
  int rc = fchmod(fd, S_IRUSR | S_IWUSR) < 0 ? -errno : 0;
  if (rc == 0)
    rc = write_text(fd, text, size);
  awio_wipe(text, sizeof text);
  return rc;
}

/* Let the new name survive a crash of the machine. Not every file system can do
 * that, so a failure is none. */
static void sync_folder(const char *path) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  int size = slash ? (int)(slash - path) + 1 : 1;
  snprintf(folder, sizeof folder, "%.*s", size, slash ? path : ".");
  int fd = awio_open(folder, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0)
    return;
  (void)fsync(fd);
  close(fd);
}

int awz_key_file_save(const char *path, const awz_keys *keys) {
  char name[PATH_MAX];
  int fd = open_temporary(path, name);
  if (fd < 0)
    return fd;
  int rc = write_keys(fd, keys);
  if (close(fd) < 0 && rc == 0 && errno != EINTR)
    rc = -errno;
  if (rc == 0 && rename(name, path) < 0)
    rc = -errno;
  if (rc < 0)
    unlink(name);
  else
    sync_folder(path);
  return rc;
}
