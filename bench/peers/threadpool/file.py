"""file.py N PATH whole|pieces|lines: reads a file N times, in a thread."""

import sys
from concurrent.futures import ThreadPoolExecutor

count, path, how = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def read():
    with open(path, "rb") as file:
        if how == "whole":
            return file.read()
        if how == "lines":
            for _ in file:
                pass
        else:
            while file.read(65536):
                pass


with ThreadPoolExecutor(1) as pool:
    for _ in range(count):
        pool.submit(read).result()
