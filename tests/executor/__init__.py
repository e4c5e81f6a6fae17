"""The oracle: random operations on random data, answered by both executors and compared byte for byte.

world       random accounts and rows          arguments   random values for arguments and variables
operations  random valid operations           compare     both engines, the difference, the smallest form of it
fuzz        `make fuzz-executor`              coverage    `make coverage-executor`
"""
