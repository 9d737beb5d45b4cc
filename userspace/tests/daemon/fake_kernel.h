/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JVPN_TESTS_FAKE_KERNEL_H
#define JVPN_TESTS_FAKE_KERNEL_H

/*
 * The module's table for tests of what the daemon decides: sessions that only transitions by the
 * state machine change, in place of jvpnd/kernel.c. It counts what it is asked.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../jvpnd/kernel.h"
#include "core/fsm.h"

#define FAKE_SESSIONS_MAX 20000

static struct {
	struct kernel_session *table;
	size_t count;
	unsigned long transitions;
	unsigned long gets;
	bool refuses;			/* no transition is applied */
	size_t made_from;		/* sessions from here on were made by the daemon */
	uint32_t socket;		/* id of each socket; 0: none can be had */
	void (*sent)(const struct path *to, const void *data, size_t size);
} fake;

static void fake_id(size_t n, uint8_t id[JVPN_SESSION_ID_SIZE])
{
	memset(id, 0, JVPN_SESSION_ID_SIZE);
	id[0] = (uint8_t)n;
	id[1] = (uint8_t)(n >> 8);
	id[2] = 1;
}

static struct kernel_session *fake_session_add(void)
{
	struct kernel_session *k;

	if (!fake.table)
		fake.table = calloc(FAKE_SESSIONS_MAX, sizeof(*fake.table));
	if (!fake.table || fake.count == FAKE_SESSIONS_MAX)
		abort();
	k = &fake.table[fake.count++];
	memset(k, 0, sizeof(*k));
	return k;
}

__attribute__((unused))
static struct kernel_session *fake_session_new(uint32_t role)
{
	struct kernel_session *k = fake_session_add();

	fake_id(fake.count - 1, k->id);
	fake.made_from = fake.count;
	k->role = role;
	k->state = JVPN_STATE_ATTACHED;
	k->version = 1;
	k->bound = true;
	k->created_ms = fake.count;
	strcpy(k->label, "peer");
	strcpy(k->policy, "default");
	return k;
}

static struct kernel_session *fake_find(const uint8_t *id)
{
	size_t n = id[0] | (size_t)id[1] << 8;

	if (n < fake.count && !memcmp(fake.table[n].id, id, JVPN_SESSION_ID_SIZE))
		return &fake.table[n];
	for (n = fake.made_from; n < fake.count; n++)
		if (!memcmp(fake.table[n].id, id, JVPN_SESSION_ID_SIZE))
			return &fake.table[n];
	return NULL;
}

/* As the kernel does by itself: the state changes, and the transition is told. */
static bool fake_step(struct kernel_session *k, uint32_t event, uint32_t reason,
		      struct kernel_transition *t)
{
	uint32_t next;

	*t = (struct kernel_transition){ .from = k->state, .event = event, .reason = reason,
					 .boot_ms = 1000, .real_ms = 1000, .epoch = k->epoch };
	if (jvpn_fsm_next(k->state, event, reason, &next))
		return false;
	k->state = t->to = next;
	k->bound = jvpn_fsm_bound(next);
	t->version = ++k->version;
	t->has_path = true;
	return true;
}

/* --- in place of kernel.c -------------------------------------------------------- */

void kernel_transition(struct kernel *kernel, const uint8_t *id, uint64_t expected_version,
		       uint32_t event, uint32_t reason, struct kernel_answer *answer)
{
	struct kernel_session *k = fake_find(id);

	(void)kernel;
	fake.transitions++;
	memset(answer, 0, sizeof(*answer));
	answer->error = !k ? -ENOENT : k->version != expected_version ? -ESTALE : 0;
	if (fake.refuses)
		answer->error = -ENOBUFS;
	if (answer->error || !fake_step(k, event, reason, &answer->history[0])) {
		answer->error = answer->error ? answer->error : -EINVAL;
		return;
	}
	answer->n_history = 1;
	answer->has_current = true;
	answer->state = k->state;
	answer->version = k->version;
	answer->epoch = k->epoch;
}

int kernel_session_get(struct kernel *kernel, const uint8_t *id, struct kernel_session *session)
{
	const struct kernel_session *k = fake_find(id);

	(void)kernel;
	fake.gets++;
	if (k)
		*session = *k;
	return k ? 0 : -ENOENT;
}

int kernel_session_each(struct kernel *kernel, kernel_session_visit visit, void *context)
{
	(void)kernel;
	for (size_t i = 0; i < fake.count; i++)
		visit(context, &fake.table[i]);
	return 0;
}

int kernel_session_del(struct kernel *kernel, const uint8_t *id)
{
	struct kernel_session *k = fake_find(id);

	(void)kernel;
	if (k && k >= fake.table + fake.made_from)
		*k = fake.table[--fake.count];
	return 0;
}

void kernel_session_new(struct kernel *kernel, const struct kernel_session_new *args,
			struct kernel_answer *answer)
{
	struct kernel_session *k = fake_session_add();

	(void)kernel;
	memset(answer, 0, sizeof(*answer));
	memcpy(k->id, args->id, sizeof(k->id));
	k->role = args->role;
	k->state = JVPN_STATE_BIRTH;
}

int kernel_packet_queue(struct kernel *kernel, const struct path *to, const void *data,
			size_t size)
{
	(void)kernel;
	if (fake.sent)
		fake.sent(to, data, size);
	return 0;
}

int kernel_socket_new(struct kernel *kernel, struct kernel_socket *sock, char *error,
		      size_t error_size)
{
	(void)kernel, (void)error, (void)error_size;
	sock->id = fake.socket;
	return fake.socket ? 0 : -ENOSYS;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

void kernel_session_set(struct kernel *kernel, const uint8_t *id,
			const struct kernel_session_set *args, struct kernel_answer *answer)
{ answer->error = -ENOSYS; }
void kernel_binding_set(struct kernel *kernel, const uint8_t *id,
			const struct kernel_binding *args, struct kernel_answer *answer)
{ answer->error = -ENOSYS; }
void kernel_binding_prepare(struct kernel *kernel, const uint8_t *id,
			    const struct kernel_binding *args, struct kernel_answer *answer)
{ answer->error = -ENOSYS; }
void kernel_epoch_set(struct kernel *kernel, const uint8_t *id,
		      const struct kernel_binding *args, struct kernel_answer *answer)
{ answer->error = -ENOSYS; }
void kernel_binding_cancel(struct kernel *kernel, const uint8_t *id, uint64_t cookie,
			   struct kernel_answer *answer) { answer->error = -ENOSYS; }
void kernel_binding_probe(struct kernel *kernel, const uint8_t *id, struct kernel_answer *answer)
{ answer->error = -ENOSYS; }
int kernel_packet_send(struct kernel *kernel, const struct path *to, const void *data, size_t size)
{ return 0; }
int kernel_packets_flush(struct kernel *kernel) { return 0; }
int kernel_socket_move(struct kernel *kernel, const struct kernel_socket *sock, char *error,
		       size_t error_size) { return -ENOSYS; }
int kernel_socket_del(struct kernel *kernel, uint32_t id) { return 0; }
int kernel_socket_each(struct kernel *kernel, kernel_socket_visit visit, void *context)
{ return 0; }
int kernel_device_get(struct kernel *kernel, struct kernel_device *device) { return -ENOSYS; }
int kernel_device_set(struct kernel *kernel, uint32_t max_sessions, char *error,
		      size_t error_size) { return 0; }

#pragma GCC diagnostic pop

#endif /* JVPN_TESTS_FAKE_KERNEL_H */
