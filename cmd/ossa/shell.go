package main

import (
	"slices"
	"strings"
)

// shellQuote makes s one word of a shell.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("/._-:@%+=,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// commandAgain is a command line for a shell that goes on where one ended.
// Secrets are left out, and so is --restart.
func commandAgain(args []string) string {
	words := []string{"ossa"}
	for i := 1; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			for _, arg := range args[i:] {
				words = append(words, shellQuote(arg))
			}
			break
		}
		if name, _, _ := strings.Cut(arg, "="); name == "--restart" {
			continue
		}
		text, secret, next := withoutSecret(arg)
		words = append(words, shellQuote(text))
		if secret {
			words = append(words, "...")
		}
		if next {
			i++
		}
	}
	return strings.Join(words, " ")
}

// secretFlags are those whose values are not printed, and secretShorts their
// letters. Letters can stand together, as in -rk SECRET; what comes after one of
// valueShorts is its value.
var secretFlags = []string{"--access-key-secret", "--sts-token"}

const (
	secretShorts = "kt"
	valueShorts  = "eicj"
)

// withoutSecret is an argument without the secret that it ends in, or that the
// next one is.
func withoutSecret(arg string) (text string, secret, next bool) {
	if name, _, joined := strings.Cut(arg, "="); slices.Contains(secretFlags, name) {
		return name, true, !joined
	}
	if !strings.HasPrefix(arg, "-") || strings.HasPrefix(arg, "--") {
		return arg, false, false
	}
	i := strings.IndexAny(arg, secretShorts+valueShorts)
	if i < 0 || strings.IndexByte(secretShorts, arg[i]) < 0 {
		return arg, false, false
	}
	return arg[:i+1], true, i+1 == len(arg)
}
