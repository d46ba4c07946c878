/* candidates.h - completion of a word: what is inserted, what is listed */
#ifndef HOST_CANDIDATES_H
#define HOST_CANDIDATES_H

#include <stddef.h>

/* Bytes that all candidates begin with; whole characters. The list ends with
 * NULL and is not empty. */
size_t host_common_prefix(char *const *candidates);

/* Write the candidates in columns, from the start of a row, at most a screen
 * with a row for the prompt. The cursor is then at the start of a row. */
void host_list_candidates(int terminal, char *const *candidates);

void host_free_candidates(char **candidates);

#endif
