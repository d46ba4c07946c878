"""Run a program of asyncio on uvloop: run.py PROGRAM [ARGUMENT...]"""

import runpy
import sys

import uvloop

uvloop.install()
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
