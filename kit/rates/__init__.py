"""How much of something anybody may have in a time.

budgets   what an amount in a time is, and which addresses are one network
buckets   what is used of budgets, as one process knows it
remote    what is used of budgets, as all processes know it, in Redis
"""
