package auth

import (
	"strings"
	"unicode/utf8"
)

// match reports whether text is what pattern describes: "*" stands for any run
// of characters, also none, and "?" for exactly one. A byte that is no UTF-8
// counts as a character.
//
// What stands between two stars is looked for once, as early as it can be, so
// nothing is tried twice. The time is that of looking for every such piece in
// text: it grows with their lengths added, never with a power of them.
func match(pattern, text string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	n, ok := fits(head, text)
	if !ok {
		return false
	}
	if text = text[n:]; !star {
		return text == ""
	}
	for {
		piece, more, star := strings.Cut(rest, "*")
		if !star {
			return fitsEnd(piece, text)
		}
		n, ok := find(piece, text)
		if !ok {
			return false
		}
		text, rest = text[n:], more
	}
}

// fits reports whether text begins with what piece, which has no star,
// describes, and how many bytes that takes.
func fits(piece, text string) (n int, ok bool) {
	for {
		literal, rest, one := strings.Cut(piece, "?")
		if !strings.HasPrefix(text[n:], literal) {
			return 0, false
		}
		if n += len(literal); !one {
			return n, true
		}
		if n == len(text) {
			return 0, false
		}
		_, size := utf8.DecodeRuneInString(text[n:])
		n += size
		piece = rest
	}
}

// fitsEnd reports whether text ends with what piece describes.
func fitsEnd(piece, text string) bool {
	start := len(text)
	for range utf8.RuneCountInString(piece) {
		if start == 0 {
			return false
		}
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	n, ok := fits(piece, text[start:])
	return ok && start+n == len(text)
}

// find looks for the first place in text that piece describes, and returns
// where it ends.
func find(piece, text string) (end int, ok bool) {
	if !strings.Contains(piece, "?") {
		i := strings.Index(text, piece)
		return i + len(piece), i >= 0
	}
	return findOnes(piece, text)
}

// findOnes is find for pieces with "?". It walks through text once, with one bit
// for each character of piece: bit i says that the i+1 characters that end here
// are as the first i+1 of piece. Trying piece at every place would take the
// product of both lengths, which whoever sends a long key could ask for.
func findOnes(piece, text string) (end int, ok bool) {
	length := utf8.RuneCountInString(piece)
	words := (length + 63) / 64
	here := make(map[string][]uint64) // for a character: where piece has it
	anywhere := make([]uint64, words) // where piece has "?"
	for i, rest := 0, piece; rest != ""; i++ {
		c := first(rest)
		rest = rest[len(c):]
		if c == "?" {
			anywhere[i/64] |= 1 << (i % 64)
			continue
		}
		if here[c] == nil {
			here[c] = make([]uint64, words)
		}
		here[c][i/64] |= 1 << (i % 64)
	}
	state := make([]uint64, words)
	for end < len(text) {
		c := first(text[end:])
		end += len(c)
		places := here[c]
		carry := uint64(1) // a new beginning, at every character
		for w := range state {
			next := state[w] >> 63
			may := anywhere[w]
			if places != nil {
				may |= places[w]
			}
			state[w] = (state[w]<<1 | carry) & may
			carry = next
		}
		if state[words-1]&(1<<((length-1)%64)) != 0 {
			return end, true
		}
	}
	return 0, false
}

// first is the first character of s, which is not empty.
func first(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return s[:size]
}
