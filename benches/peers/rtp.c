// Sends and counts RTP for the bench: rtp LEGS SECONDS WARM-UP
//
// LEGS has one leg a line: "local-ip local-port [remote-ip remote-port]". A leg with a remote end sends 50
// stamped packets a second to it; every leg counts what it receives. Nothing is counted in the first
// WARM-UP seconds. Prints one line of key=value pairs:
//   legs, silent (legs that received nothing), sent, received,
//   rate_min, rate_mean, rate_max   packets a second, by leg
//   gap_p50, gap_p99, gap_max       milliseconds between two packets of one leg
//   delay_p50, delay_p99, delay_max milliseconds from sending to receiving (stamped packets only)
//   lost                            per cent of the stamped packets
//   behind                          packets that this program was too slow to send on time
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LEGS = 20000, PACKET = 172, BURST = 64, BINS = 100000 };
static const uint64_t SECOND = 1000000000ull, TICK = 20000000ull;
static const uint32_t STAMP = 0x48524b4e;

struct leg {
    int socket, sends;
    struct sockaddr_in remote;
    uint16_t sequence;
    unsigned long received;
    uint64_t last;
};

static struct leg legs[MAX_LEGS];
static int leg_count, senders[MAX_LEGS], sender_count;
// Histograms in steps of 10 microseconds, the last bin for everything from a second up.
static unsigned long gaps[BINS + 1], delays[BINS + 1];

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void note(unsigned long *bins, uint64_t nanoseconds) {
    uint64_t bin = nanoseconds / 10000;
    bins[bin > BINS ? BINS : bin]++;
}

// The value in milliseconds below which `share` of the notes lie; 1 gives the greatest.
static double centile(const unsigned long *bins, double share) {
    unsigned long total = 0, seen = 0;
    for (int i = 0; i <= BINS; i++) total += bins[i];
    for (int i = 0; i <= BINS; i++)
        if ((seen += bins[i]) && seen >= total * share) return i / 100.0;
    return 0;
}

static struct sockaddr_in address(const char *ip, int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, ip, &a.sin_addr) != 1) {
        fprintf(stderr, "rtp: not an address: %s\n", ip);
        exit(2);
    }
    return a;
}

static void open_legs(const char *path, int poll) {
    FILE *file = fopen(path, "r");
    if (!file) { perror(path); exit(2); }
    char line[256], local[64], remote[64];
    int local_port, remote_port;
    while (fgets(line, sizeof line, file) && leg_count < MAX_LEGS) {
        int fields = sscanf(line, "%63s %d %63s %d", local, &local_port, remote, &remote_port);
        if (fields < 2) continue;
        struct leg *leg = &legs[leg_count];
        struct sockaddr_in here = address(local, local_port);
        leg->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (leg->socket < 0 || bind(leg->socket, (void *)&here, sizeof here)) {
            fprintf(stderr, "rtp: %s:%d: %s\n", local, local_port, strerror(errno));
            exit(2);
        }
        if (fields == 4) {
            leg->sends = 1;
            leg->remote = address(remote, remote_port);
            senders[sender_count++] = leg_count;
        }
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)leg_count};
        epoll_ctl(poll, EPOLL_CTL_ADD, leg->socket, &event);
        leg_count++;
    }
    fclose(file);
}

static int send_packet(struct leg *leg) {
    unsigned char packet[PACKET];
    memset(packet, 0xd5, sizeof packet);
    uint16_t sequence = htons(leg->sequence);
    uint32_t timestamp = htonl(leg->sequence * 160u), source = htonl(0x10000000u + (uint32_t)(leg - legs));
    leg->sequence++;
    packet[0] = 0x80, packet[1] = 8;
    memcpy(packet + 2, &sequence, 2);
    memcpy(packet + 4, &timestamp, 4);
    memcpy(packet + 8, &source, 4);
    uint64_t stamp = now();
    memcpy(packet + 12, &stamp, 8);
    memcpy(packet + 20, &STAMP, 4);
    return sendto(leg->socket, packet, PACKET, 0, (void *)&leg->remote, sizeof leg->remote) == PACKET;
}

int main(int count, char **arguments) {
    if (count != 4) { fprintf(stderr, "usage: rtp LEGS SECONDS WARM-UP\n"); return 2; }
    struct rlimit files = {MAX_LEGS + 100, MAX_LEGS + 100};
    if (setrlimit(RLIMIT_NOFILE, &files)) {
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    int poll = epoll_create1(0);
    open_legs(arguments[1], poll);
    double seconds = atof(arguments[2]);
    uint64_t begin = now(), counted = begin + (uint64_t)(atof(arguments[3]) * SECOND);
    uint64_t end = counted + (uint64_t)(seconds * SECOND), drained = end + SECOND / 2;
    unsigned long due_sent = 0, stamped = 0, sent = 0, received = 0, came = 0, behind = 0;
    struct epoll_event events[512];
    unsigned char packet[2048];

    for (uint64_t at = now(); at < drained; at = now()) {
        // Every sender's turn comes once a tick, evenly spread over it.
        unsigned long due = at >= end ? due_sent : (unsigned long)((double)(at - begin) / TICK * sender_count);
        if (due > due_sent + 3ul * sender_count) {
            behind += due - due_sent - 3ul * sender_count;
            due_sent = due - 3ul * sender_count;
        }
        for (int burst = 0; due_sent < due && burst < BURST; burst++, due_sent++)
            if (send_packet(&legs[senders[due_sent % sender_count]]) && at >= counted) sent++;
        int ready = epoll_wait(poll, events, 512, due_sent < due ? 0 : 1);
        for (int i = 0; i < ready; i++) {
            struct leg *leg = &legs[events[i].data.u32];
            ssize_t length = recv(leg->socket, packet, sizeof packet, 0);
            if (length < 12) continue;
            uint64_t arrived = now();
            if (arrived >= counted && arrived < end) {
                leg->received++, received++;
                if (leg->last) note(gaps, arrived - leg->last);
                leg->last = arrived;
            }
            uint64_t stamp;
            if (length < 24 || memcmp(packet + 20, &STAMP, 4)) continue;
            memcpy(&stamp, packet + 12, 8);
            if (stamp >= counted && stamp < end) {
                came++;
                note(delays, arrived - stamp);
            }
        }
    }
    stamped = sent;
    unsigned long least = ~0ul, most = 0;
    int silent = 0;
    for (int i = 0; i < leg_count; i++) {
        if (!legs[i].received) silent++;
        if (legs[i].received < least) least = legs[i].received;
        if (legs[i].received > most) most = legs[i].received;
    }
    printf("legs=%d silent=%d sent=%lu received=%lu rate_min=%.2f rate_mean=%.2f rate_max=%.2f gap_p50=%.2f "
           "gap_p99=%.2f gap_max=%.2f delay_p50=%.2f delay_p99=%.2f delay_max=%.2f lost=%.3f behind=%lu\n",
           leg_count, silent, sent, received, leg_count ? least / seconds : 0,
           leg_count ? received / seconds / leg_count : 0, most / seconds, centile(gaps, .5), centile(gaps, .99),
           centile(gaps, 1), centile(delays, .5), centile(delays, .99), centile(delays, 1),
           stamped ? 100.0 * (1 - (double)came / stamped) : 0, behind);
    return 0;
}
