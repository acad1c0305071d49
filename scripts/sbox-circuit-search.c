/* A small circuit for four functions of six bits: a random walk over circuits that stay right at every step.
 *
 *     sbox-circuit-search ARITY SECONDS SEED T0 T1 T2 T3 [CIRCUIT]
 *
 * ARITY is 3 (any function of three inputs is a gate: vpternlog, LOP3) or 2 (and, or, xor, and-not). T0 to T3 are the
 * truth tables, 64 bits in hex. CIRCUIT goes on from a circuit that was printed earlier. Whenever a smaller one is found
 * it is printed as one line: "COST | table,a,b,c … | table,a,b …": gates, then the four outputs (ARITY 2: "2,a", or "1,a" for the inverse of a). Nodes 0 to 5 are the
 * inputs, gates count on from there. A table's bit is indexed by its inputs' values, the first the most significant.
 *
 * With ARITY 3 an output is a function of TWO nodes: the third input of the instruction that makes it is the half block
 * that it is added to, so the exclusive-or that ends every DES round is no instruction of its own. The cost counts the
 * gates only; the four last instructions are there in any circuit. With ARITY 2 an output is a node, and the cost counts
 * the inverters that outputs of the wrong polarity need.
 *
 * A step takes one gate, finds the inputs where its value matters (where inverting it would change an output), and puts
 * there another function, of other nodes, that agrees in those places. Gates that nobody reads any more become spares with
 * random functions, to be found useful. What a step costs is weighed as in simulated annealing. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUTS = 6, OUTPUTS = 4, MOST = 400, TRIPLES_BELOW = 76 };

typedef struct {
    int nodes;                  /* inputs and gates, in topological order */
    int in[MOST][3];
    uint8_t table[MOST];
    int out[OUTPUTS][2];
    uint8_t out_table[OUTPUTS];
} Circuit;

static int arity;
static uint64_t target[OUTPUTS], value[MOST], seed;
static int readers[MOST];
static double temperature;

static uint64_t rnd(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed * 0x2545F4914F6CDD1Dull >> 11;
}
static double unit(void) { return (double)(rnd() & 0xFFFFFFFF) / 4294967296.0; }

static uint64_t apply(uint8_t table, int inputs, const uint64_t *x) {
    uint64_t result = 0;
    for (int cell = 0; cell < 1 << inputs; cell++)
        if (table >> cell & 1) {
            uint64_t product = ~0ull;
            for (int i = 0; i < inputs; i++) product &= cell >> (inputs - 1 - i) & 1 ? x[i] : ~x[i];
            result |= product;
        }
    return result;
}

static uint64_t gate(const Circuit *c, const uint64_t *v, int g) {
    uint64_t x[3];
    for (int i = 0; i < arity; i++) x[i] = v[c->in[g][i]];
    return apply(c->table[g], arity, x);
}

static uint64_t output(const Circuit *c, const uint64_t *v, int o) {
    if (arity == 2) return v[c->out[o][0]] ^ (c->out_table[o] ? ~0ull : 0);
    uint64_t x[2] = {v[c->out[o][0]], v[c->out[o][1]]};
    return apply(c->out_table[o], 2, x);
}

static void evaluate(const Circuit *c) {
    for (int i = 0; i < INPUTS; i++) {
        value[i] = 0;
        for (int x = 0; x < 64; x++) value[i] |= (uint64_t)(x >> (5 - i) & 1) << x;
    }
    for (int g = INPUTS; g < c->nodes; g++) value[g] = gate(c, value, g);
}

/* Counts `node` as read once more, and what it reads when that was the first time; lists gates below before those above. */
static int listed[MOST], length;
static void reach(const Circuit *c, int node) {
    if (readers[node]++ || node < INPUTS) return;
    for (int i = 0; i < arity; i++) reach(c, c->in[node][i]);
    listed[length++] = node;
}

/* How many gates are read, directly or not, by an output; counts the readers of each node and lists the gates in order. */
static int live(const Circuit *c) {
    memset(readers, 0, sizeof readers);
    length = 0;
    for (int o = 0; o < OUTPUTS; o++)
        for (int i = 0; i < (arity == 3 ? 2 : 1); i++) reach(c, c->out[o][i]);
    return length;
}

/* Puts the gates that are read into topological order and drops the others. */
static void sort(Circuit *c) {
    Circuit s = *c;
    int place[MOST];
    for (int i = 0; i < INPUTS; i++) place[i] = i;
    s.nodes = INPUTS + live(c);
    for (int k = 0; k < length; k++) {
        place[listed[k]] = INPUTS + k;
        s.table[INPUTS + k] = c->table[listed[k]];
        for (int i = 0; i < arity; i++) s.in[INPUTS + k][i] = place[c->in[listed[k]][i]];
    }
    for (int o = 0; o < OUTPUTS; o++)
        for (int i = 0; i < (arity == 3 ? 2 : 1); i++) s.out[o][i] = place[c->out[o][i]];
    *c = s;
}

static int add(Circuit *c, uint8_t table, int a, int b, int d) {
    c->table[c->nodes] = table;
    c->in[c->nodes][0] = a, c->in[c->nodes][1] = b, c->in[c->nodes][2] = d;
    return c->nodes++;
}

/* The first circuit: a tree of multiplexers, variables in the order given. */
static int tree(Circuit *c, uint64_t f, const int *order, int depth, int values) {
    if (arity == 3 && depth == 3) {
        uint8_t table = 0;
        for (int cell = 0; cell < 8; cell++) {
            int x = values;
            for (int i = 0; i < 3; i++) x |= (cell >> (2 - i) & 1) << (5 - order[i]);
            table |= (uint8_t)((f >> x & 1) << cell);
        }
        return add(c, table, order[0], order[1], order[2]);
    }
    if (arity == 2 && depth == 2) {
        uint8_t table = 0;
        for (int cell = 0; cell < 4; cell++) {
            int x = values | (cell >> 1) << (5 - order[0]) | (cell & 1) << (5 - order[1]);
            table |= (uint8_t)((f >> x & 1) << cell);
        }
        return add(c, table, order[0], order[1], 0);
    }
    int variable = order[depth - 1];
    int zero = tree(c, f, order, depth - 1, values);
    int one = tree(c, f, order, depth - 1, values | 1 << (5 - variable));
    if (arity == 3) return add(c, 0xCA, variable, one, zero);
    int differ = add(c, 6, zero, one, 0);
    return add(c, 6, zero, add(c, 8, variable, differ, 0), 0);
}

static void start(Circuit *c) {
    int order[INPUTS] = {0, 1, 2, 3, 4, 5};
    for (int i = 5; i > 0; i--) {
        int j = (int)(rnd() % (uint64_t)(i + 1)), t = order[i];
        order[i] = order[j], order[j] = t;
    }
    memset(c, 0, sizeof *c);
    c->nodes = INPUTS;
    for (int o = 0; o < OUTPUTS; o++) {
        c->out[o][0] = c->out[o][1] = tree(c, target[o], order, INPUTS, 0);
        c->out_table[o] = arity == 3 ? 0xC : 0;
    }
}

/* The table of a function that is `on` where it has to be 1 and off where it has to be 0; elsewhere by chance. */
static int fit(uint64_t on, uint64_t off, int inputs, const uint64_t *x, uint8_t *table) {
    uint8_t result = 0;
    for (int cell = 0; cell < 1 << inputs; cell++) {
        uint64_t product = ~0ull;
        for (int i = 0; i < inputs; i++) product &= cell >> (inputs - 1 - i) & 1 ? x[i] : ~x[i];
        int one = (on & product) != 0, nil = (off & product) != 0;
        if (one && nil) return 0;
        if (one || (!nil && (rnd() & 1))) result |= (uint8_t)(1 << cell);
    }
    *table = result;
    return 1;
}

static uint64_t cares(const Circuit *c, int g, int *below) {
    static uint64_t v[MOST];
    memcpy(v, value, sizeof(uint64_t) * (size_t)c->nodes);
    memset(below, 0, sizeof(int) * (size_t)c->nodes);
    v[g] = ~v[g], below[g] = 1;
    for (int h = g + 1; h < c->nodes; h++) {
        for (int i = 0; i < arity; i++) below[h] |= below[c->in[h][i]];
        if (below[h]) v[h] = gate(c, v, h);
    }
    uint64_t care = 0;
    for (int o = 0; o < OUTPUTS; o++) care |= output(c, v, o) ^ output(c, value, o);
    return care;
}

typedef struct { int in[3], count, extra; uint8_t table, inner; } Choice;
static double weight_sum;

/* What a choice changes in the number of live gates, seen from its first ring of neighbours. */
static int price(const Circuit *c, int g, const int *in, int count) {
    int delta = 0;
    for (int i = 0; i < count; i++) delta += in[i] >= INPUTS && !readers[in[i]];
    for (int i = 0; i < arity; i++) {
        int old = c->in[g][i], kept = 0;
        for (int j = 0; j < count; j++) kept |= in[j] == old;
        if (old >= INPUTS && !kept && readers[old] == 1) delta--;
    }
    return delta;
}

static void offer(Choice *best, const Choice *choice, int delta) {
    double weight = exp(-delta / temperature);
    weight_sum += weight;
    if (unit() * weight_sum < weight) *best = *choice;
}

/* A function of three variables as two gates of two: outer(in[who], inner(the other two)). */
static struct { int ok, who; uint8_t outer, inner; } split[256];
static void fill_split(void) {
    static const uint64_t x[3] = {0xF0, 0xCC, 0xAA};
    for (int who = 0; who < 3; who++)
        for (int inner = 0; inner < 16; inner++)
            for (int outer = 0; outer < 16; outer++) {
                uint64_t pair[2] = {x[(who + 1) % 3], x[(who + 2) % 3]};
                uint64_t last[2] = {x[who], apply((uint8_t)inner, 2, pair)};
                uint8_t whole = (uint8_t)apply((uint8_t)outer, 2, last);
                if (!split[whole].ok || rnd() % 3 == 0) {
                    split[whole].ok = 1, split[whole].who = who;
                    split[whole].inner = (uint8_t)inner, split[whole].outer = (uint8_t)outer;
                }
            }
}

static int triple_fits(const uint64_t *on, const uint64_t *off, int cells, uint64_t x) {
    for (int i = 0; i < cells; i++)
        if (((on[i] & x) && (off[i] & x)) || ((on[i] & ~x) && (off[i] & ~x))) return 0;
    return 1;
}

static void scan(const Circuit *c, int g, uint64_t on, uint64_t off, const int *usable, int count, Choice *best) {
    weight_sum = 0;
    int triples = arity == 3 || (count < TRIPLES_BELOW && rnd() % 4 == 0);
    for (int i = 0; i < count; i++) {
        uint64_t a = value[usable[i]];
        for (int j = i + 1; j < count; j++) {
            uint64_t b = value[usable[j]];
            uint64_t cell[4] = {a & b, a & ~b, ~a & b, ~a & ~b}, ons[4], offs[4];
            int mixed = 0;
            for (int k = 0; k < 4; k++)
                if ((on & cell[k]) && (off & cell[k])) ons[mixed] = on & cell[k], offs[mixed++] = off & cell[k];
            Choice choice = {{usable[i], usable[j], 0}, 2, 0, 0, 0};
            if (arity == 2 && !mixed) offer(best, &choice, price(c, g, choice.in, 2));
            if (!triples) continue;
            for (int k = j + 1; k < count; k++) {
                if (!triple_fits(ons, offs, mixed, value[usable[k]])) continue;
                choice.in[2] = usable[k], choice.count = 3;
                if (arity == 3) offer(best, &choice, price(c, g, choice.in, 3));
                else if (mixed) choice.extra = 1, offer(best, &choice, price(c, g, choice.in, 3) + 1);
            }
        }
    }
}

static int replace(Circuit *c, int g) {
    int below[MOST], usable[MOST], count = 0;
    uint64_t care = cares(c, g, below), on = value[g] & care, off = ~value[g] & care;
    for (int h = 0; h < c->nodes; h++)
        if (!below[h]) usable[count++] = h;
    Choice choice = {{0, 0, 0}, 0, 0, 0, 0};
    scan(c, g, on, off, usable, count, &choice);
    if (!choice.count) return 0;
    uint64_t x[3];
    for (int i = 0; i < choice.count; i++) x[i] = value[choice.in[i]];
    uint8_t table = 0;
    fit(on, off, choice.count, x, &table);
    if (choice.extra) {
        if (!split[table].ok || c->nodes >= MOST - 1) return 0;
        int who = split[table].who;
        int inner = add(c, split[table].inner, choice.in[(who + 1) % 3], choice.in[(who + 2) % 3], 0);
        c->in[g][0] = choice.in[who], c->in[g][1] = inner, c->table[g] = split[table].outer;
    } else {
        memcpy(c->in[g], choice.in, sizeof choice.in);
        c->table[g] = table;
    }
    return 1;
}

static int replace_output(Circuit *c, int o) {
    double seen = 0;
    uint8_t table;
    for (int a = 0; a < c->nodes; a++)
        for (int b = a + 1; b < c->nodes; b++) {
            uint64_t x[2] = {value[a], value[b]};
            if (!fit(target[o], ~target[o], 2, x, &table)) continue;
            int delta = (a >= INPUTS && !readers[a]) + (b >= INPUTS && !readers[b]);
            double weight = exp(-delta / temperature);
            seen += weight;
            if (unit() * seen < weight) c->out[o][0] = a, c->out[o][1] = b, c->out_table[o] = table;
        }
    return seen > 0;
}

/* Unread gates become random ones, up to `spare` of them. */
static void refresh(Circuit *c, int spare) {
    sort(c);
    for (int i = 0; i < spare && c->nodes < MOST; i++) {
        int n = c->nodes, in[3];
        for (int k = 0; k < 3; k++) in[k] = (int)(rnd() % (uint64_t)n);
        uint8_t table = (uint8_t)rnd();
        if (arity == 2) table &= 15;
        add(c, table, in[0], in[1], in[2]);
    }
}

/* ARITY 2: polarity that and, or, xor and and-not give each node; the number of outputs that then need an inverter. */
static int inverters(const Circuit *c) {
    if (arity == 3) return 0;
    int inverted[MOST] = {0}, count = 0;
    for (int g = INPUTS; g < c->nodes; g++) {
        int p = inverted[c->in[g][0]], q = inverted[c->in[g][1]], table = 0;
        for (int cell = 0; cell < 4; cell++)
            table |= (c->table[g] >> (cell ^ (p << 1 | q)) & 1) << cell;
        inverted[g] = table & 1; /* what is 1 at (0, 0) has to be stored inverted */
    }
    for (int o = 0; o < OUTPUTS; o++) count += inverted[c->out[o][0]] ^ c->out_table[o];
    return count;
}

static void print(const Circuit *c, int cost) {
    printf("%d |", cost);
    for (int g = INPUTS; g < c->nodes; g++) {
        printf(" %d", c->table[g]);
        for (int i = 0; i < arity; i++) printf(",%d", c->in[g][i]);
    }
    printf(" |");
    for (int o = 0; o < OUTPUTS; o++) {
        printf(" %d,%d", arity == 3 ? c->out_table[o] : 2 - c->out_table[o], c->out[o][0]);
        if (arity == 3) printf(",%d", c->out[o][1]);
    }
    printf("\n");
    fflush(stdout);
}

static int parse(Circuit *c, char *text) {
    memset(c, 0, sizeof *c);
    c->nodes = INPUTS;
    char *part = strchr(text, '|');
    if (!part) return 0;
    int used, t, a, b, d;
    for (part++; *part != '|'; part += used, c->nodes++) {
        if (sscanf(part, arity == 3 ? " %d,%d,%d,%d %n" : " %d,%d,%d %n%n", &t, &a, &b, arity == 3 ? &d : &used, &used) < 3)
            return 0;
        c->table[c->nodes] = (uint8_t)t, c->in[c->nodes][0] = a, c->in[c->nodes][1] = b;
        if (arity == 3) c->in[c->nodes][2] = d;
    }
    part++;
    for (int o = 0; o < OUTPUTS; o++, part += used) {
        if (sscanf(part, arity == 3 ? " %d,%d,%d%n" : " %d,%d%n%n", &t, &a, arity == 3 ? &b : &used, &used) < 2) return 0;
        c->out_table[o] = (uint8_t)(arity == 3 ? t : 2 - t), c->out[o][0] = a;
        if (arity == 3) c->out[o][1] = b;
    }
    return 1;
}

static int right(const Circuit *c) {
    evaluate(c);
    for (int o = 0; o < OUTPUTS; o++)
        if (output(c, value, o) != target[o]) return 0;
    return 1;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc < 8) return fprintf(stderr, "usage: sbox-circuit-search ARITY SECONDS SEED T0 T1 T2 T3 [CIRCUIT]\n"), 2;
    arity = atoi(argv[1]);
    double end = now() + atof(argv[2]);
    seed = strtoull(argv[3], 0, 10) * 0x9E3779B97F4A7C15ull | 1;
    for (int i = 0; i < 20; i++) rnd();
    for (int o = 0; o < OUTPUTS; o++) target[o] = strtoull(argv[4 + o], 0, 16);
    fill_split();
    Circuit now_at, best, tried;
    int best_cost = MOST;
    if (argc > 8 && parse(&now_at, argv[8]) && right(&now_at)) {
        sort(&now_at);
        best = now_at, best_cost = live(&now_at) + inverters(&now_at);
    } else {
        start(&now_at);
        sort(&now_at);
    }
    int size = live(&now_at), since = 0, lowest = size;
    for (long step = 0; now() < end; step++) {
        temperature = 0.08 + 0.3 * unit();
        refresh(&now_at, size < 100 ? 1 + (int)(rnd() % 4) : 0);
        evaluate(&now_at);
        live(&now_at);
        tried = now_at;
        uint64_t pick = rnd() % (uint64_t)(size + (arity == 3 ? OUTPUTS : 0));
        int changed = pick < (uint64_t)size ? replace(&tried, INPUTS + (int)pick) : replace_output(&tried, (int)(pick - (uint64_t)size));
        if (!changed) continue;
        sort(&tried);
        int next = tried.nodes - INPUTS;
        if (next > size && unit() > exp((size - next) / (next > lowest + 2 ? 0.12 : 0.35))) continue;
        now_at = tried, size = next, since++;
        if (!right(&now_at)) return fprintf(stderr, "a step broke the circuit\n"), 1;
        int cost = size + inverters(&now_at);
        if (size < lowest) lowest = size, since = 0;
        if (cost < best_cost) best = now_at, best_cost = cost, print(&best, cost);
        if (since > 60000) { /* stuck: another start, or the best again */
            if (rnd() % 2) now_at = best;
            else start(&now_at), sort(&now_at);
            size = live(&now_at), lowest = size, since = 0;
        }
    }
    return 0;
}
