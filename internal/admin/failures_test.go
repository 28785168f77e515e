package admin

import (
	"net/netip"
	"testing"
	"time"
)

// Failures are counted for each network, forgiven with time, and there are
// never more of them than allowed, whoever sends them.
func TestFailures(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f := newFailures(3, time.Second)
	one := netip.MustParseAddr("192.0.2.1")
	same, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	for range 3 {
		if wait := f.wait(one, now); wait != 0 {
			t.Fatalf("waits %v too early", wait)
		}
		f.note(one, now)
		f.note(same, now)
	}
	if wait := f.wait(one, now); wait != time.Second {
		t.Errorf("waits %v", wait)
	}
	if f.wait(netip.MustParseAddr("192.0.2.2"), now) != 0 || f.wait(netip.Addr{}, now) != 0 {
		t.Error("others wait too")
	}
	if f.wait(other, now) == 0 {
		t.Error("another address of the network does not wait")
	}
	if wait := f.wait(one, now.Add(time.Second)); wait != 0 {
		t.Errorf("waits %v after a second", wait)
	}
	for i := range 3 * maxAddresses {
		f.note(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now)
		if len(f.full) > maxAddresses {
			t.Fatalf("%d addresses", len(f.full))
		}
	}
}
