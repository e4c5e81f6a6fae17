"""The oracle: random operations on random data, answered by both executors and compared byte for byte.

world       random accounts and rows         writes     random changes between the questions
operations  random valid operations          arguments  random values for arguments and variables
compare     both engines on one world        jitter     what the resolvers could have answered as well
owners      whose rows an answer may show
shrink      the smallest that still differs  corpus     what differed once
watched     which plans were made            wrong      executors that have to be caught
fuzz        `make fuzz-executor`             coverage   `make coverage-executor`
"""
