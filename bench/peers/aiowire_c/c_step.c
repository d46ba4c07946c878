/* N steps of a machine in C. */
#include "step.h"

int main(int argc, char **argv) {
  return run_machines(argc, argv, 1);
}
