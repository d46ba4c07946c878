/* codes_test.c - every error number of the system has its name and a text */
#define _GNU_SOURCE /* strerrorname_np() */
#include "check.h"

#include <errno.h>

/* Returns the C library's name of the number; NULL: none, or it has no such
 * function. */
static const char *name_of(int number) {
#ifdef __GLIBC_PREREQ /* needs an #if of its own: others cannot read it */
#if __GLIBC_PREREQ(2, 32)
#define HAS_NAMES
#endif
#endif
#ifdef HAS_NAMES
  return strerrorname_np(number);
#else
  (void)number;
  return NULL;
#endif
}

static bool known(int code) {
  return strcmp(aw_error_name(code), "UNKNOWN") != 0 &&
         strcmp(aw_strerror(code), "unknown error") != 0;
}

static void test_every_number_of_the_system_has_its_name(void) {
  enum { MOST = 4095 }; /* Linux returns no higher error numbers */
  for (int number = 1; number <= MOST; number++) {
    const char *name = name_of(number);
    if (!name)
      continue;
    CHECK(known(-number));
    if (number != EOPNOTSUPP) /* libuv has its other name, ENOTSUP */
      CHECK(strcmp(aw_error_name(-number), name) == 0);
  }
}

static void test_those_that_libuv_does_not_know_have_one(void) {
  CHECK(strcmp(aw_error_name(-ENOEXEC), "ENOEXEC") == 0);
  CHECK(strcmp(aw_strerror(-ENOEXEC), "exec format error") == 0);
  CHECK(strcmp(aw_error_name(-EDEADLK), "EDEADLK") == 0);
  CHECK(strcmp(aw_strerror(-EDEADLK), "resource deadlock avoided") == 0);
}

static void test_all_others_keep_theirs(void) {
  CHECK(strcmp(aw_error_name(-ECONNREFUSED), "ECONNREFUSED") == 0);
  CHECK(strcmp(aw_strerror(-ECONNREFUSED), "connection refused") == 0);
  CHECK(strcmp(aw_error_name(AW_ENOMEM), "ENOMEM") == 0);
  CHECK(strcmp(aw_error_name(AW_ETIMEOUT), "ETIMEOUT") == 0);
  CHECK(strcmp(aw_strerror(0), "no error") == 0);
}

/* The text of an unknown number is constant: LeakSanitizer would report an
 * allocation. */
static void test_a_number_of_nobody_is_unknown(void) {
  CHECK(!known(-4000));
  CHECK(!known(12345));
  CHECK(aw_strerror(-4000) == aw_strerror(-4001));
}

int main(void) {
  test_every_number_of_the_system_has_its_name();
  test_those_that_libuv_does_not_know_have_one();
  test_all_others_keep_theirs();
  test_a_number_of_nobody_is_unknown();
  return 0;
}
