package transfer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Names of a directory come back as they went in, in the order of keys, however
// many blocks they fill.
func TestNames(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var n names
	var want []string
	kinds := map[string]byte{}
	for i := range 20_000 {
		kind := []byte{kindFile, kindDir, kindLink, kindSpecial}[i%4]
		name := fmt.Sprintf("%x-%d", random.Uint32(), i) + strings.Repeat("ä", random.IntN(120))
		if err := n.add(name, kind); err != nil {
			t.Fatal(err)
		}
		if kind == kindDir {
			name += "/"
		}
		want, kinds[name] = append(want, name), kind
	}
	if len(n.blocks) < 10 {
		t.Fatalf("%d blocks", len(n.blocks))
	}
	slices.Sort(want)
	n.sort()
	for i, at := range n.at {
		name, kind := n.get(at)
		if string(name) != want[i] || kind != kinds[want[i]] {
			t.Fatalf("name %d: %q of kind %c, want %q of %c", i, name, kind, want[i], kinds[want[i]])
		}
	}

	longest := strings.Repeat("n", blockSize-2-1)
	if err := n.add(longest, kindDir); err == nil {
		t.Error("a name that fills more than a block was taken")
	}
	if err := n.add(longest, kindFile); err != nil {
		t.Error(err)
	} else if name, kind := n.get(n.at[len(n.at)-1]); string(name) != longest || kind != kindFile {
		t.Errorf("%d bytes of kind %c", len(name), kind)
	}
}

// A directory comes where what is in it does among keys.
func TestNamesOrder(t *testing.T) {
	var n names
	for _, name := range []string{"a.txt", "a0", "a-b"} {
		if err := n.add(name, kindFile); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.add("a", kindDir); err != nil {
		t.Fatal(err)
	}
	n.sort()
	var got []string
	for _, at := range n.at {
		name, _ := n.get(at)
		got = append(got, string(name))
	}
	if want := []string{"a-b", "a.txt", "a/", "a0"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
