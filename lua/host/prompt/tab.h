/* tab.h - the key Tab: completes the word before the cursor; see tab.c */
#ifndef HOST_TAB_H
#define HOST_TAB_H

#include <wchar.h>

/* The function of the Tab key, for libedit. */
unsigned char host_tab_complete(void *el, wint_t key);

#endif
