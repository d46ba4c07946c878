"""pool_job.py N M: calls a function in another thread N times, M at a time."""

import os
import sys
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

left, at_once = int(sys.argv[1]), int(sys.argv[2])


def job(number):
    return number


with ThreadPoolExecutor(os.cpu_count()) as pool:
    under_way = set()
    while left > 0 or under_way:
        while left > 0 and len(under_way) < at_once:
            left -= 1
            under_way.add(pool.submit(job, left))
        done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        for each in done:
            each.result()
