"""files.py N FOLDER: reads N small files, 8 at a time."""

import sys
from concurrent.futures import ThreadPoolExecutor

count, folder = int(sys.argv[1]), sys.argv[2]


def read(number):
    with open(f"{folder}/{number}", "rb") as file:
        return file.read()


with ThreadPoolExecutor(8) as pool:
    for _ in pool.map(read, range(count)):
        pass
