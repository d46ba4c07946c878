/* N steps of two machines in C, in turn. */
#include "step.h"

int main(int argc, char **argv) {
  return run_machines(argc, argv, 2);
}
