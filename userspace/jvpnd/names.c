// SPDX-License-Identifier: GPL-2.0
#include "names.h"

#include <ares.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

/* A socket of a channel, watched by the loop. */
struct names_socket {
	LIST_ENTRY(names_socket) link;
	uv_poll_t poll;
	ares_socket_t fd;
	struct names_channel *channel;
};

struct names_question {
	struct names_channel *channel;
	sa_family_t family;
};

struct names_channel {
	struct names *names;
	struct names_way way;
	bool open;
	ares_channel ares;
	struct names_question questions[2];
	LIST_HEAD(, names_socket) sockets;
};

/**
 * struct names - a lookup
 * @timer: of the channel that is next; the end comes by it, too, when nothing is pending
 * @pending: questions without an answer
 * @busy: the library is at work, and must not be taken down
 * @ended: nothing is told any longer
 */
struct names {
	uv_loop_t *loop;
	names_visit visit;
	void *context;
	uv_timer_t timer;
	unsigned int pending;
	bool busy;
	bool ended;
	size_t n_channels;
	struct names_channel channels[];
};

static void names_leave(struct names *names);

/* --- sockets ---------------------------------------------------------------------------- */

static void names_socket_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void names_socket_drop(struct names_socket *s)
{
	LIST_REMOVE(s, link);
	uv_poll_stop(&s->poll);
	uv_close((uv_handle_t *)&s->poll, names_socket_closed);
}

static void names_readable(uv_poll_t *poll, int status, int events)
{
	struct names_socket *s = poll->data;
	struct names *names = s->channel->names;
	bool in = events & UV_READABLE || status < 0, out = events & UV_WRITABLE || status < 0;

	names->busy = true;
	/* s may be gone afterwards. */
	ares_process_fd(s->channel->ares, in ? s->fd : ARES_SOCKET_BAD,
			out ? s->fd : ARES_SOCKET_BAD);
	names_leave(names);
}

static struct names_socket *names_socket_find(struct names_channel *channel, ares_socket_t fd)
{
	struct names_socket *s;

	LIST_FOREACH(s, &channel->sockets, link)
		if (s->fd == fd)
			return s;
	return NULL;
}

static struct names_socket *names_socket_add(struct names_channel *channel, ares_socket_t fd)
{
	struct names_socket *s = calloc(1, sizeof(*s));

	if (!s || uv_poll_init(channel->names->loop, &s->poll, fd)) {
		free(s);
		return NULL;
	}
	s->poll.data = s;
	s->fd = fd;
	s->channel = channel;
	LIST_INSERT_HEAD(&channel->sockets, s, link);
	return s;
}

/* Without a watch the question ends by its time. */
static void names_socket_state(void *context, ares_socket_t fd, int readable, int writable)
{
	struct names_channel *channel = context;
	struct names_socket *s = names_socket_find(channel, fd);

	if (!readable && !writable) {
		if (s)
			names_socket_drop(s);
		return;
	}
	if (!s)
		s = names_socket_add(channel, fd);
	if (s)
		uv_poll_start(&s->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
			      names_readable);
}

/* What cannot leave by its interface must not leave at all. */
static int names_socket_configure(ares_socket_t fd, int type, void *context)
{
	const struct names_way *way = context;

	(void)type;
	if (way->mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &way->mark, sizeof(way->mark)))
		return -1;
	if (*way->interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, way->interface,
					  (socklen_t)strlen(way->interface)))
		return -1;
	return 0;
}

/* --- answers ---------------------------------------------------------------------------- */

static bool names_address_read(const struct ares_addrinfo_node *node, sa_family_t family,
			       struct jvpn_addr *addr)
{
	*addr = (struct jvpn_addr){ .family = family };
	if (node->ai_family != family)
		return false;
	if (family == AF_INET)
		memcpy(addr->bytes, &((const struct sockaddr_in *)node->ai_addr)->sin_addr, 4);
	else
		memcpy(addr->bytes, &((const struct sockaddr_in6 *)node->ai_addr)->sin6_addr, 16);
	return true;
}

static enum names_result names_result_of(int status, size_t count)
{
	if (status == ARES_SUCCESS)
		return count ? NAMES_FOUND : NAMES_NONE;
	return status == ARES_ENODATA || status == ARES_ENOTFOUND ? NAMES_NONE : NAMES_FAILED;
}

static void names_answered(void *context, int status, int timeouts, struct ares_addrinfo *info)
{
	struct names_question *question = context;
	struct names *names = question->channel->names;
	struct names_answer answer = { .way = &question->channel->way,
				       .family = question->family };
	const struct ares_addrinfo_node *node = info ? info->nodes : NULL;

	(void)timeouts;
	for (; node && answer.count < NAMES_ANSWERS_MAX; node = node->ai_next)
		answer.count += names_address_read(node, question->family,
						   &answer.list[answer.count]);
	answer.result = names_result_of(status, answer.count);
	answer.why = ares_strerror(status);
	ares_freeaddrinfo(info);
	names->pending--;
	if (!names->ended)
		names->visit(names->context, &answer);
}

/* --- the end ---------------------------------------------------------------------------- */

static void names_free(uv_handle_t *handle)
{
	free(handle->data);
}

static void names_end(struct names *names)
{
	names->ended = true;
	for (size_t i = 0; i < names->n_channels; i++)
		if (names->channels[i].open)
			ares_destroy(names->channels[i].ares);
	uv_close((uv_handle_t *)&names->timer, names_free);
}

void names_cancel(struct names *names)
{
	if (names && names->busy)
		names->ended = true;
	else if (names)
		names_end(names);
}

static void names_timer(uv_timer_t *timer)
{
	struct names *names = timer->data;

	if (!names->pending) {
		names_end(names);
		names->visit(names->context, NULL);
		return;
	}
	names->busy = true;
	for (size_t i = 0; i < names->n_channels; i++)
		if (names->channels[i].open)
			ares_process_fd(names->channels[i].ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	names_leave(names);
}

/* When the next of them has waited long enough. The end comes by the timer, too. */
static uint64_t names_wait_ms(const struct names *names)
{
	struct timeval most = { NAMES_TIMEOUT_MS / 1000, NAMES_TIMEOUT_MS % 1000 * 1000 }, room;
	const struct timeval *next = &most;

	for (size_t i = 0; i < names->n_channels; i++) {
		if (names->channels[i].open)
			next = ares_timeout(names->channels[i].ares, &most, &room);
		most = *next;
	}
	/* Rounded up: at its time, not a moment before. */
	return (uint64_t)most.tv_sec * 1000 + (uint64_t)(most.tv_usec + 999) / 1000;
}

static void names_leave(struct names *names)
{
	names->busy = false;
	if (names->ended)
		names_end(names);
	else
		uv_timer_start(&names->timer, names_timer,
			       names->pending ? names_wait_ms(names) : 0, 0);
}

/* --- the beginning ---------------------------------------------------------------------- */

static int names_servers_set(struct names_channel *channel)
{
	struct ares_addr_node nodes[NAMES_SERVERS_MAX] = {};
	const struct names_way *way = &channel->way;

	for (size_t i = 0; i < way->n_servers; i++) {
		nodes[i].family = way->servers[i].family;
		nodes[i].next = i + 1 < way->n_servers ? &nodes[i + 1] : NULL;
		memcpy(&nodes[i].addr, way->servers[i].bytes, sizeof(nodes[i].addr.addr6));
	}
	return way->n_servers ? ares_set_servers(channel->ares, nodes) : ARES_SUCCESS;
}

static bool names_channel_open(struct names_channel *channel)
{
	struct ares_options options = {
		.timeout = NAMES_TIMEOUT_MS, .tries = NAMES_TRIES,
		.lookups = channel->way.files ? "f" : "b",
		.sock_state_cb = names_socket_state, .sock_state_cb_data = channel,
	};

	if (ares_init_options(&channel->ares, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
			      ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB))
		return false;
	channel->open = true;
	ares_set_socket_configure_callback(channel->ares, names_socket_configure, &channel->way);
	return names_servers_set(channel) == ARES_SUCCESS;
}

static void names_channel_ask(struct names_channel *channel, const char *host)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	struct ares_addrinfo_hints hints = { .ai_flags = ARES_AI_NOSORT,
					     .ai_socktype = SOCK_DGRAM };

	for (int i = 0; i < 2; i++) {
		channel->questions[i] = (struct names_question){ channel, families[i] };
		hints.ai_family = families[i];
		ares_getaddrinfo(channel->ares, host, NULL, &hints, names_answered,
				 &channel->questions[i]);
	}
}

/* Answers that are there at once wait for the loop. */
static void names_start(uv_timer_t *timer)
{
	struct names *names = timer->data;
	const char *host = (const char *)&names->channels[names->n_channels];

	names->busy = true;
	names->pending = (unsigned int)(2 * names->n_channels);
	for (size_t i = 0; i < names->n_channels && !names->ended; i++) {
		if (names_channel_open(&names->channels[i]))
			names_channel_ask(&names->channels[i], host);
		else
			names->pending -= 2;
	}
	names_leave(names);
}

struct names *names_ask(uv_loop_t *loop, const char *host, const struct names_way *ways,
			size_t n_ways, names_visit visit, void *context)
{
	struct names *names = calloc(1, sizeof(*names) + n_ways * sizeof(names->channels[0]) +
					strlen(host) + 1);

	if (!names)
		return NULL;
	*names = (struct names){ .loop = loop, .visit = visit, .context = context,
				 .n_channels = n_ways };
	for (size_t i = 0; i < n_ways; i++) {
		names->channels[i].names = names;
		names->channels[i].way = ways[i];
	}
	strcpy((char *)&names->channels[n_ways], host);
	uv_timer_init(loop, &names->timer);
	names->timer.data = names;
	uv_timer_start(&names->timer, names_start, 0, 0);
	return names;
}
