"""Python loop: integers, floats, lists, dictionaries, strings, a class and a generator. Prints a sum."""
import sys


class Account:
    def __init__(self):
        self.balance = 0

    def add(self, amount):
        self.balance = (self.balance + amount) % 1000003


def squares(count):
    for i in range(count):
        yield i * i


def main(rounds):
    account = Account()
    counts = {}
    for n in range(rounds):
        values = [(i * 7919 + n) % 1009 for i in range(100)]
        values.sort()
        for value in values:
            key = "k%d" % (value & 63)
            counts[key] = counts.get(key, 0) + value
        account.add(sum(squares(50)) + int(sum(v * 0.5 for v in values)))
    print(account.balance + sum(counts.values()) % 65521)


main(int(sys.argv[1]))
