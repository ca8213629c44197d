# planted_faults_list.sh: the faults that planted_faults.sh plants. Bash, sourced by it.
#
# caught FAULT TESTS FILE SED-SCRIPT: each of the tests fails where src/FILE is as the script makes it.
# shellcheck shell=bash disable=SC2016 # what looks like shell there is C

# ---- The loop around sendmmsg ---------------------------------------------------------------------
caught "to advance twice after a partial count" "test_scripted fuzz_plan" send.c \
    '/^static size_t submit/,/^}/{
       s/return end;/return end > first \&\& end < engine->plan.count ? end + 1 : end;/
       s/^\( *\)size_t end =/\1size_t first = next;\n&/
     }'
caught "to skip one more than failed" test_scripted send.c \
    's/settle(engine, &plan->trains\[next++\], packets);/{ &; next += next < plan->count; }/'
caught "to blame the wrong packet" "test_scripted test_scripted_trains" settle.c \
    's/&packets\[plan->from + offset\]/\&packets[plan->from + offset + 1]/'
caught "to blame an innocent packet for a pending error" "test_scripted test_scripted_trains fuzz_plan" send.c \
    's/train->asked < again/false/'
caught "to lose a packet to EINTR" "test_scripted test_scripted_trains fuzz_plan" settle.c \
    's/if (error == EINTR)/if (0)/'
caught "to refuse packets for back pressure" "test_scripted test_scripted_trains" settle.c \
    's/return UB_STOP;/return UB_REFUSE;/'
caught "to ask a dead socket for every packet" test_scripted settle.c \
    's/return UB_DEAD;/return UB_REFUSE;/'

# ---- Trains that are made wrong -------------------------------------------------------------------
caught "that a shorter packet does not end its train" "test_plan test_scripted_trains" plan.c \
    's/train->ended = entrant->bytes < train->segment ||/train->ended =/'
caught "that an empty packet joins" "test_plan test_scripted_trains" plan.c \
    's/entrant->alone = true;/;/'
caught "a train of one packet too many" "test_plan fuzz_plan" plan.c \
    's/train->count >= plan->gso.segments/train->count > plan->gso.segments/'
caught "a train of too many bytes" test_plan plan.c \
    's/BYTES_MOST_IN4 = 65535 - 20 - 8/BYTES_MOST_IN4 = 65535 - 8/'
caught "that metas are not compared" "test_plan test_scripted_trains" plan.c \
    's/(train->meta == packet->meta || ub_meta_is_same(train->meta, packet->meta))/true/'
caught "that forms of an address are not compared" "test_plan test_scripted_trains" plan.c \
    's/is_same_address(train->to, packet->to)/true/'
caught "that metas in a run are not compared" test_plan plan.c \
    's/packets\[last + 1\].meta == meta/true/'
caught "that lengths in a run are not compared" "test_plan test_scripted_trains" plan.c \
    's/packets\[last + 1\].len == len/true/'
caught "that a run takes what was sent already" "test_plan test_scripted_trains" plan.c \
    's/packets\[last + 1\].status == 0/true/'
caught "that a run is longer than one datagram may be" test_plan plan.c \
    's/^ *most = least(most, (bytes_most(train).*/;/'
caught "that payloads apart become one piece" "test_plan test_scripted_trains" plan.c \
    's/(const char \*)end\[-1\].data + end\[-1\].len == (const char \*)data/true/'
caught "room for fewer pieces than are written" test_plan plan.c \
    's/entrant->pieces = 1;/entrant->pieces = 0;/'
caught "a segment size that is wrong by one" test_scripted_trains control.c \
    's/(ub_segment)train->segment;/(ub_segment)(train->segment + 1);/'

caught "that many do not find their train" test_plan group.c 's/PROBES = 8/PROBES = 2/'
caught "that what an old plan noted is met again" test_plan group.c \
    's/memset(plan->groups.*/;/'

# ---- Their order ----------------------------------------------------------------------------------
caught "that an older train is found" "test_plan test_scripted_trains" plan.c \
    's/if (plan->recent != NULL && has_trains)/if (plan->recent != NULL \&\& has_trains \&\& train == NULL)/'
caught "that ports are not compared" test_plan group.c \
    's/a->in4.sin_port == b->in4.sin_port/true/'
caught "that packets to the peer overtake others" "test_plan test_scripted_trains fuzz_plan" plan.c \
    's/(train->to == NULL) != (packet->to == NULL)/false/'
caught "that in order others are joined" "test_plan test_scripted_trains" plan.c \
    's/if (plan->in_order)$/if (false)/'

# ---- What a refusal is to a train -----------------------------------------------------------------
caught "that a split forgets the rest" test_scripted_trains send.c \
    's/^        if (verdict == UB_SPLIT)/        from = end;\n&/'
caught "that what left before a split is sent twice" test_scripted_trains send.c \
    's/for (; next < end; next++)/for (; next + (end < engine->plan.count) < end; next++)/'
caught "that a train's refusal is all its packets'" test_scripted_trains send.c \
    's/if (train->count > 1 && !(is_certain/if (false \&\& !(is_certain/'
caught "that a full queue stops what may fit singly" test_scripted_trains send.c \
    's/if (train->count > 1 && !ub_settle_has_event(train->error))/if (false)/'
caught "that a full socket splits trains" test_scripted_trains send.c \
    's/train->count > 1 && !ub_settle_has_event(train->error)/train->count > 1/'
caught "that refusals are never forgotten" test_scripted_trains gso.c \
    's/gso->routes\[i\].until_ns > now/true/'
caught "that refusals are forgotten early" test_scripted_trains gso.c \
    's/ub_clock_ns() + COOL_DOWN_NS/ub_clock_ns() + COOL_DOWN_NS \/ 2/'
caught "that a packet's refusal is held against trains" test_scripted_trains gso.c \
    '/^static bool is_about_trains/,/^}/s/return false;/return true;/'
caught "that one host's refusal is every host's" test_scripted_trains gso.c \
    's/memcmp(gso->routes\[i\].host, host, 16) == 0/true/'
caught "that as long packets are tried again" test_scripted_trains gso.c \
    's/train->segment - 1/train->segment/'
caught "that a limit of 64 is taken for a host's" test_scripted_trains gso.c \
    's/train->count > UB_SEGMENTS_OLD/false/'
caught "that a missing option is not noticed" test_scripted_trains socket.c \
    's/ub_socket_option(fd, UB_SOL_UDP, UB_UDP_SEGMENT, -1) >= 0/true/'
caught "that damage to trains is not known of" test_scripted_trains gso.c \
    's/kernel == UB_GSO_DAMAGES/false/'
caught "that single packets are counted as trains" test_scripted_trains send.c \
    's/stats.trains += train->count > 1/stats.trains += 1/'

# ---- A pace ---------------------------------------------------------------------------------------
caught "that a pause is worth more than a burst" test_pace pace.c \
    's/pace->rate \* seconds, pace->burst)/pace->rate * seconds, 1e300)/'
caught "that what has left is not paid for" test_pace pace.c \
    's/ - (double)spent//'
caught "that time is counted twice" test_pace pace.c \
    's/^    pace->then_ns = now_ns;/    ;/'
caught "that looking at the time loses some" test_pace pace.c \
    's/^    if (spent == 0)/    if (false)/'
caught "that packets leave in pairs" test_pace pace.c \
    's/tokens < lesser(price, pace->enough)/tokens <= 0/'
caught "that a packet larger than the burst never leaves" test_pace pace.c \
    's/lesser(price, pace->enough)/price/'
caught "that bytes are counted as packets" test_pace pace.c \
    's/== UDPBATCH_RATE_PACKETS ? packets : bytes/<= UDPBATCH_RATE_BYTES ? packets : bytes/'
caught "that payloads nobody could send have a price" test_pace pace.c \
    's/bytes > 0 ? bytes : 0/bytes > 0 ? bytes : 1000/'
caught "that a wait is too short" test_pace pace.c \
    's/missing \/ pace->rate/missing \/ pace->rate \/ 2/'
caught "a rate that is no number" test_pace pace.c \
    's/return rate >= DBL_MIN \&\&/return !(rate < DBL_MIN) \&\&/;s/rate <= DBL_MAX/!(rate > DBL_MAX)/'
caught "that refused packets cost" test_pace sender.c \
    's/engine->stats.packets - packets_before/n/'
caught "that what refusals left over is lost" test_pace sender.c \
    's/from < n \&\& engine->unsent_error == 0; from += count/from == 0 \&\& n > 0; from = n/'
caught "that a wait for the rate has no timeout" test_pace sender.c \
    's/shorter(ns, left_ns)/ns/'
caught "that a timeout is not told" test_pace sender.c \
    's/return ns <= left_ns ? 0 : -ETIMEDOUT;/return 0;/'
caught "that a delay stays when all has left" test_pace sender.c \
    '/^struct udpbatch_tally udpbatch_sender_send/,/^}/s/sender->is_paced = false;/;/'
caught "that a back end's busy is the rate's" test_pace sender.c \
    's/if (sender->is_paced)/if (sender->engine.unsent_error == EBUSY)/'
caught "that calls in vain are not backed off from" test_pace sender.c \
    's/if (sender->is_backing_off)/if (false)/'
caught "that a wait and the call after it both lengthen the next" test_pace sender.c \
    '/^static int back_off/,/^}/s/sender->is_backing_off = false;/;/'
caught "that what else there is to do puts off a try" test_pace sender.c \
    's/delay_ns = sender->retry_ns - ub_clock_ns();/delay_ns = sender->backoff_ns;/'
caught "to refuse packets for a busy back end" "test_scripted test_pace" settle.c \
    '/case EBUSY:/d'

# ---- Frames ---------------------------------------------------------------------------------------
caught "that carries are lost" test_frame frame.c \
    's/return sum + (sum < word);/return sum;/'
caught "that pieces behind an odd number of bytes are not swapped" test_frame frame.c \
    's/bytes_before % 2 == 0/true/'
caught "a checksum of zero" "test_frame fuzz_frame" frame.c \
    's/return checksum != 0 ? checksum : UINT16_MAX;/return checksum;/'
caught "that the length is summed once" test_frame frame.c \
    's/2 \* (uint32_t)udp_len/(uint32_t)udp_len/'
caught "that the TOS is not in the checksum" test_frame frame.c \
    's/ip_sum + tos/ip_sum/'
caught "headers longer than they are" test_frame frame.c \
    's/memcpy(frame, headers->bytes, IN4_UDP + UB_FRAME_UDP)/memcpy(frame, headers->bytes, 62)/'

# ---- What the kernel takes of them ----------------------------------------------------------------
caught "that frames the kernel did not take count as sent" test_xsk backend/xsk.c \
    's/return count - passed;/return count;/'
caught "that a frame the device dropped counts as sent" test_xsk backend/xsk.c \
    's/\*error == EBUSY && taken > 0 ? taken - 1 : taken/taken/'
caught "that cancelled frames leave later" test_xsk backend/xsk.c \
    's/^\( *\)descriptor(xsk, i)->addr |= CANCELLED;/\1;/'
caught "that cancelled descriptors stay in the ring" test_xsk backend/xsk.c \
    's/end - load(xsk->tx.consumer) + 2;/4;/'
caught "that a frame is given back twice" test_xsk backend/xsk.c \
    's/if (address < CANCELLED)/address %= CANCELLED;/'
caught "that frames are lost that were not handed over" test_xsk backend/xsk.c \
    's/^\( *\)take_back(xsk, count - seen, xsk->produced);/\1;/'
caught "that a busy kernel is not asked again" test_xsk backend/xsk.c \
    's/while ((\*error == EAGAIN || \*error == EINTR) \&\& tries < TRIES)/while (false)/'
caught "that a busy kernel is asked for ever" test_xsk backend/xsk.c \
    's/!= before ? 0 : tries + 1;/!= before ? 0 : 0;/'
caught "more than a wake-up takes" test_xsk backend/xsk.c \
    's/rest < xsk->budget ? rest : xsk->budget/rest/'
caught "indices that do not wrap" test_xsk backend/xsk.c \
    's/for (; next != end; next++)/for (; next < end; next++)/'
caught "that a failed open leaves its socket" test_xsk backend/xsk.c \
    '/^static int open_once/,/^}/s/ub_xsk_close(xsk);/;/'
caught "that a queue that is not there is opened" test_xsk backend/xsk.c \
    's/return pass_by(xsk, &system_calls) == 1 ? 0 : -ECHRNG;/return 0;/'

# ---- What a packet's fate is ----------------------------------------------------------------------

caught "that a short count ends the plan" "fuzz_plan faults" send.c \
    's/^        next = submit(engine, packets, next);/&\n        if (plan->trains[next].error == 0) break;/'
caught "that a short count loses a train" "fuzz_plan faults" send.c \
    's/train->error == 0)$/train->error == 0 \&\& ++next)/'
caught "that a refused train's tail counts as sent" fuzz_plan settle.c \
    's/train->error != 0 ?/train->error != 0 \&\& (i == 0 || i + 1 < train->count) ?/'
caught "that a train that was split is sent whole, too" "fuzz_plan faults" send.c \
    's/^    ub_plan_split(&engine->plan, packets, \*train);/    ;/'
caught "that what has an address is refused for want of a peer" fuzz_plan send.c \
    's/ub_settle_rest(packets, n, error, true)/ub_settle_rest(packets, n, error, false)/'
caught "that what was refused is not counted" "fuzz_plan faults" send.c \
    '/^static void settle(/,/^}/s/if (train->error != 0)/if (false)/'
caught "that a signal ends a call" "test_scripted faults" settle.c \
    's/if (error == EINTR)/if (false)/'
caught "that a dead socket's calls go on refusing" "test_scripted faults" send.c \
    '/^void ub_engine_begin/,/^}/s/engine->socket_error = 0;/;/'
caught "that a closed sender leaves its memory" soak sender.c \
    '/^void udpbatch_sender_close/,/^}/s/free(sender);/;/'

# ---- Metas, answers of the kernel, what is received -----------------------------------------------

caught "an own address that is forgotten" fuzz_meta meta_send.c \
    's/\.ipi_spec_dst = \*own/.ipi_spec_dst = { 0 }/'
caught "that a lower hop limit is the same" fuzz_meta meta_send.c \
    's/a->ttl == b->ttl/a->ttl <= b->ttl/'
caught "that more is told than was asked for" fuzz_meta meta_receive.c \
    's/^    meta->flags &= flags;/    ;/'
caught "that the lowest bit of an IPv6 class is lost" fuzz_frame frame.c \
    's/0x6000 | datagram->tos << 4/0x6000 | (datagram->tos \& 0xfe) << 4/'
caught "that an odd byte is left out of a sum" fuzz_frame frame.c \
    's/if (len & 1)/if (len \& 1 \&\& len != 3)/'
caught "that a gateway's address begins too late" fuzz_netlink backend/rtnetlink_parse.c \
    's/value.at += sizeof family;/value.at += 4;/'
caught "that what is no errno is one" fuzz_netlink backend/rtnetlink_parse.c \
    's/error >= -ERRNO_MOST/error >= -ERRNO_MOST - 1/'
caught "that a way is forgotten and counted" fuzz_netlink backend/ways.c \
    's/^            way->generation = 0;/            ;/'
caught "that a train that is taken in parts loses the rest" fuzz_receive receiver.c \
    's/receiver->next += at >= slot->len;/receiver->next++;/;s/receiver->given = at < .*/receiver->given = 0;/'
caught "that a cut datagram is whole" fuzz_receive receiver.c \
    's/bool truncated = len > most ||/bool truncated =/'
caught "that a slot is given out twice" fuzz_receive receiver.c \
    's/receiver->next += at >= slot->len;/receiver->next += at > slot->len;/'
caught "a length beyond the room" fuzz_receive slot.c \
    's/slot->len = at_most(len, slot->size);/slot->len = len;/'
