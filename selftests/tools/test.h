/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test programs: each case runs in a process and a network namespace of its
 * own, which end with it, so that cases cannot disturb one another. A case that
 * dies or takes too long has failed. Output is KTAP.
 */
#ifndef JVPN_TEST_H
#define JVPN_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct test_case - one claim
 * @name: the claim, as it is printed
 * @run: returns if it holds; uses CHECK, REQUIRE and SKIP
 */
struct test_case {
	const char *name;
	void (*run)(void);
};

/**
 * test_main() - run cases
 * @cases: the cases
 * @count: how many
 * @argc: arguments of the program: parts of names that select cases, all if none
 * @argv: the same
 *
 * Return: exit status of the program.
 */
int test_main(const struct test_case *cases, size_t count, int argc, char **argv);

#define TEST_MAIN(cases)							\
	int main(int argc, char **argv)						\
	{									\
		return test_main(cases, sizeof(cases) / sizeof((cases)[0]), argc, argv); \
	}

/* The claim does not hold; the case goes on. */
void test_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The case ends here: failed if anything failed. */
void test_end(void) __attribute__((noreturn));
/* It cannot be tried here. */
void test_skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)

#define CHECK(cond, ...)						\
	({								\
		bool test_good = (cond);				\
									\
		if (!test_good)						\
			FAIL(__VA_ARGS__);				\
		test_good;						\
	})

#define REQUIRE(cond, ...)						\
	do {								\
		if (!(cond)) {						\
			FAIL(__VA_ARGS__);				\
			test_end();					\
		}							\
	} while (0)

#define CHECK_EQ(found, wanted, what)					\
	({								\
		uint64_t test_found = (found), test_wanted = (wanted);	\
									\
		CHECK(test_found == test_wanted, "%s is %llu, not %llu", what, \
		      (unsigned long long)test_found, (unsigned long long)test_wanted); \
	})

/* Time on the clock that the kernel's deadlines use, ms. */
uint64_t test_now(void);

/* The machine is emulated or its kernel a debug kernel: less data, more patience. */
bool test_slow(void);

/* @fast on a machine at full speed, @slow on a slow one. */
unsigned int test_scale(unsigned int fast, unsigned int slow);

/* How long to wait for what must happen: bounds a failure, costs a success nothing. */
#define PATIENCE_MS (test_slow() ? 20000 : 5000)

/* Wait until @cond holds, at most PATIENCE_MS. The value is whether it came to hold. */
#define WAIT_FOR(cond)							\
	({								\
		uint64_t test_until = test_now() + PATIENCE_MS;		\
		bool test_came;						\
									\
		while (!(test_came = (cond)) && test_now() < test_until) \
			test_pause();					\
		test_came;						\
	})

/* Between two looks at a condition. */
void test_pause(void);

/* Let time pass that a claim is about. */
void test_sleep(uint64_t ms);

/* Run a shell command; it must succeed. */
void test_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

void test_random(void *buf, size_t len);

/* The Internet checksum: add what it covers, in pieces of even length but the last; end it. */
uint32_t test_sum_add(uint32_t sum, const void *data, size_t len);
uint16_t test_sum_end(uint32_t sum);

#endif
