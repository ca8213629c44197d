#!/usr/bin/env bash
# Plants the classic faults of a sender of many packets in a copy of the library, one at a time, and
# sees the tests catch each: a test that cannot fail proves nothing.
# Usage: planted_faults.sh SCRATCH_FOLDER
set -eu
work=$1/planted_faults
export UDPBATCH_SEED=1
failed=0
rm -rf "$work"
mkdir -p "$work/objects"
cp -r src "$work/src"

compile() { # compile SOURCE OBJECT
    "${CC:-cc}" -std=c11 -w -O1 -Iinclude -I"$work/src" -c "$1" -o "$2"
}

declare -A test_objects=(
    [test_plan]="test_plan chance"
    [test_scripted]="test_scripted scripted_kernel chance support"
    [test_scripted_trains]="test_scripted_trains scripted_kernel chance support"
    [test_pace]="test_pace scripted_kernel chance support"
    [test_frame]="test_frame chance"
    [test_xsk]="test_xsk fake_xsk_kernel chance"
)
declare -A wrapped=(
    [test_plan]=""
    [test_scripted]="sendmmsg sendmsg getsockopt"
    [test_scripted_trains]="sendmmsg sendmsg getsockopt ub_clock_ns ub_gso_this_kernel"
    [test_pace]="sendmmsg sendmsg getsockopt ub_clock_ns ub_sleep_ns"
    [test_frame]=""
    [test_xsk]="socket setsockopt getsockopt bind mmap mmap64 munmap sendto close nanosleep malloc"
)

for source in src/*.c src/backend/*.c; do
    compile "$work/$source" "$work/objects/library_$(basename "$source" .c).o"
done
for name in test_plan test_scripted test_scripted_trains test_pace test_frame test_xsk \
    scripted_kernel fake_xsk_kernel chance support; do
    compile "tests/$name.c" "$work/objects/$name.o"
done

catches() { # catches TEST: whether it fails with the library as it is now
    local arguments=() name
    for name in ${test_objects[$1]}; do arguments+=("$work/objects/$name.o"); done
    for name in ${wrapped[$1]}; do arguments+=("-Wl,--wrap=$name"); done
    "${CC:-cc}" "${arguments[@]}" "$work"/objects/library_*.o -lcmocka -o "$work/test"
    ! (CMOCKA_TEST_ABORT=1 timeout 60 "$work/test" || exit 1) >"$work/output" 2>&1
}

caught() { # caught FAULT TESTS FILE SED-SCRIPT
    local object test
    object=$work/objects/library_$(basename "$3" .c).o
    sed "$4" "src/$3" >"$work/src/$3"
    if cmp -s "src/$3" "$work/src/$3"; then
        echo "FAILED: nothing to plant in $3 for: $1"
        failed=1
        return
    fi
    compile "$work/src/$3" "$object"
    for test in $2; do
        if catches "$test"; then
            echo "ok: $test catches: $1"
        else
            echo "FAILED: $test does not catch: $1"
            failed=1
        fi
    done
    cp "src/$3" "$work/src/$3"
    compile "$work/src/$3" "$object"
}

for test in test_plan test_scripted test_scripted_trains test_pace test_frame test_xsk; do
    if catches $test; then
        echo "FAILED: $test fails without a fault"
        exit 1
    fi
done

# Of the loop around sendmmsg.
caught "to advance twice after a partial count" test_scripted send.c \
    '/^static size_t submit/,/^}/{
       s/return end;/return end > first \&\& end < engine->plan.count ? end + 1 : end;/
       s/^\( *\)size_t end =/\1size_t first = next;\n&/
     }'
caught "to skip one more than failed" test_scripted send.c \
    's/settle(engine, &plan->trains\[next++\], packets);/{ &; next += next < plan->count; }/'
caught "to blame the wrong packet" "test_scripted test_scripted_trains" settle.c \
    's/&packets\[plan->from + offset\]/\&packets[plan->from + offset + 1]/'
caught "to blame an innocent packet for a pending error" "test_scripted test_scripted_trains" send.c \
    's/train->asked < again/false/'
caught "to lose a packet to EINTR" "test_scripted test_scripted_trains" settle.c \
    's/if (error == EINTR)/if (0)/'
caught "to refuse packets for back pressure" "test_scripted test_scripted_trains" settle.c \
    's/return UB_STOP;/return UB_REFUSE;/'
caught "to ask a dead socket for every packet" test_scripted settle.c \
    's/return UB_DEAD;/return UB_REFUSE;/'

# Of trains that are made wrong.
caught "that a shorter packet does not end its train" "test_plan test_scripted_trains" plan.c \
    's/train->ended = entrant->bytes < train->segment ||/train->ended =/'
caught "that an empty packet joins" "test_plan test_scripted_trains" plan.c \
    's/entrant->alone = true;/;/'
caught "a train of one packet too many" "test_plan test_scripted_trains" plan.c \
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

# Of their order.
caught "that an older train is found" "test_plan test_scripted_trains" plan.c \
    's/if (plan->recent != NULL && has_trains)/if (plan->recent != NULL \&\& has_trains \&\& train == NULL)/'
caught "that ports are not compared" test_plan group.c \
    's/a->in4.sin_port == b->in4.sin_port/true/'
caught "that packets to the peer overtake others" "test_plan test_scripted_trains" plan.c \
    's/(train->to == NULL) != (packet->to == NULL)/false/'
caught "that in order others are joined" "test_plan test_scripted_trains" plan.c \
    's/if (plan->in_order)$/if (false)/'

# Of what a refusal is to a train.
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

# Of a pace.
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
    's/shorter(delay_ns, timeout_ns)/delay_ns/'
caught "that a timeout is not told" test_pace sender.c \
    's/return delay_ns <= timeout_ns ? 0 : -ETIMEDOUT;/return 0;/'
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

# Of frames.
caught "that carries are lost" test_frame frame.c \
    's/return sum + (sum < word);/return sum;/'
caught "that pieces behind an odd number of bytes are not swapped" test_frame frame.c \
    's/bytes_before % 2 == 0/true/'
caught "a checksum of zero" test_frame frame.c \
    's/return checksum != 0 ? checksum : UINT16_MAX;/return checksum;/'
caught "that the length is summed once" test_frame frame.c \
    's/2 \* (uint32_t)udp_len/(uint32_t)udp_len/'
caught "that the TOS is not in the checksum" test_frame frame.c \
    's/ip_sum + tos/ip_sum/'
caught "headers longer than they are" test_frame frame.c \
    's/memcpy(frame, headers->bytes, IN4_UDP + UB_FRAME_UDP)/memcpy(frame, headers->bytes, 62)/'

# Of what the kernel takes of them.
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
exit $failed
