// SPDX-License-Identifier: GPL-2.0
/*
 * From the addresses of traced instructions to functions: how many
 * instructions each took itself, and the tree of their calls. Of the traced
 * rounds the shortest counts: no timer fell due in that one.
 */
#include <stdlib.h>
#include <string.h>
#include "../kmod/bench_uapi.h"
#include "bench.h"

#define DEPTH_MAX	256
#define NODES_MAX	20000
#define STACK_SHIFT	14	/* kernel stacks are 16 KiB and aligned */
#define TREE_LEAST	80	/* instructions that make a call worth a line */
#define TABLE_LINES	60

struct symbol {
	uint64_t at;
	char name[80];
	uint32_t own;
	uint32_t calls;
};

static struct symbol *symbols;
static size_t n_symbols;

/* A call; @below counts what it called too. */
struct node {
	const struct symbol *symbol;
	int parent;
	int depth;
	uint32_t own;
	uint32_t below;
	uint64_t sp;
};

static struct node nodes[NODES_MAX];
static int n_nodes;

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static int by_own(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->own > y->own ? -1 : x->own < y->own;
}

static void symbols_read(void)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[512], name[256], module[128], type;
	unsigned long long at;
	size_t room = 0;
	int fields;

	if (!file)
		fail("cannot read /proc/kallsyms");
	while (fgets(line, sizeof(line), file)) {
		struct symbol *symbol;

		module[0] = '\0';
		fields = sscanf(line, "%llx %c %255s %127s", &at, &type, name,
				module);
		if (fields < 3 || !strchr("tTwW", type))
			continue;
		if (n_symbols == room) {
			room = room ? 2 * room : 65536;
			symbols = realloc(symbols, room * sizeof(*symbols));
			if (!symbols)
				fail("no memory for symbols");
		}
		symbol = &symbols[n_symbols++];
		*symbol = (struct symbol){ .at = at };
		snprintf(symbol->name, sizeof(symbol->name), "%.60s%s%.18s",
			 name, module[0] ? " " : "", module);
	}
	fclose(file);
	qsort(symbols, n_symbols, sizeof(*symbols), by_address);
	if (!n_symbols || !symbols[n_symbols - 1].at)
		fail("/proc/kallsyms hides its addresses from this user");
}

static struct symbol *symbol_find(uint64_t ip)
{
	size_t low = 0, high = n_symbols;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (symbols[middle].at <= ip)
			low = middle;
		else
			high = middle;
	}
	/* Of several names for one place take the first. */
	while (low && symbols[low - 1].at == symbols[low].at)
		low--;
	return &symbols[low];
}

static bool same_stack(uint64_t a, uint64_t b)
{
	return a >> STACK_SHIFT == b >> STACK_SHIFT;
}

/* The node that the instruction belongs to, with @top the last one's. */
static int node_find(int top, const struct symbol *symbol,
		     const struct bench_step *step)
{
	bool entered = step->ip == symbol->at;
	int i;

	/* Back on a stack that was left, or up on the one that this is. */
	for (i = top; i >= 0 && !same_stack(nodes[i].sp, step->sp);)
		i = nodes[i].parent;
	if (i >= 0)
		top = i;
	while (top >= 0 && same_stack(nodes[top].sp, step->sp) &&
	       (nodes[top].sp < step->sp ||
		(entered && nodes[top].sp == step->sp)))
		top = nodes[top].parent;
	if (!entered && top >= 0)
		return top;
	if (n_nodes == NODES_MAX)
		return top;
	nodes[n_nodes] = (struct node){
		.symbol = symbol,
		.parent = top,
		.depth = top < 0 ? 0 : nodes[top].depth + 1,
		.sp = step->sp,
	};
	return n_nodes++;
}

static void tree_print(int parent)
{
	int i;

	for (i = parent + 1; i < n_nodes; i++) {
		if (nodes[i].parent != parent || nodes[i].below < TREE_LEAST)
			continue;
		printf("# %7u %6u  %*s%s\n", nodes[i].below, nodes[i].own,
		       2 * nodes[i].depth, "", nodes[i].symbol->name);
		tree_print(i);
	}
}

/* The shortest round: from *@first on, so many steps. */
static uint32_t round_shortest(const struct bench_step *steps,
			       uint32_t n_steps, uint32_t *first)
{
	uint32_t i, from = 0, best = UINT32_MAX;

	for (i = 1; i <= n_steps; i++) {
		if (i < n_steps && steps[i].ip)
			continue;
		if (i - from - 1 < best) {
			best = i - from - 1;
			*first = from + 1;
		}
		from = i;
	}
	return best;
}

void trace_print(const struct bench_step *steps, uint32_t n_steps)
{
	uint32_t i, first = 0, total;
	int top = -1;

	total = round_shortest(steps, n_steps, &first);
	steps += first;
	symbols_read();
	for (i = 0; i < total; i++) {
		struct symbol *symbol = symbol_find(steps[i].ip);

		symbol->own++;
		symbol->calls += symbol->at == steps[i].ip;
		top = node_find(top, symbol, &steps[i]);
		if (top >= 0)
			nodes[top].own++;
	}
	for (i = n_nodes; i-- > 0;) {
		nodes[i].below += nodes[i].own;
		if (nodes[i].parent >= 0)
			nodes[nodes[i].parent].below += nodes[i].below;
	}

	printf("# %u instructions; with what was called, without, in what:\n",
	       total);
	tree_print(-1);
	qsort(symbols, n_symbols, sizeof(*symbols), by_own);
	printf("# most instructions, share, calls, in what:\n");
	for (i = 0; i < TABLE_LINES && symbols[i].own; i++)
		printf("# %7u %5.1f%% %4u  %s\n", symbols[i].own,
		       100.0 * symbols[i].own / total, symbols[i].calls,
		       symbols[i].name);
	fflush(stdout);
	free(symbols);
}
