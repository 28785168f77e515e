package main

import (
	"slices"
	"strings"
)

// fromOssutil turns what ossutil is told into what this program is told, where the
// words differ. Other command lines stay as they are.
func fromOssutil(args []string) []string {
	if len(args) == 0 {
		return args
	}
	switch args[0] {
	case "sign":
		return append([]string{"presign"}, args[1:]...)
	case "listpart":
		return append([]string{"uploads", "parts"}, args[1:]...)
	case "set-acl":
		// With -b it is about a bucket, which the argument tells as well.
		rest := slices.DeleteFunc(slices.Clone(args[1:]), func(s string) bool { return s == "-b" || s == "--bucket" })
		return append([]string{"acl", "set"}, rest...)
	case "getallpartsize":
		return append([]string{"uploads", "ls", "--sizes"}, args[1:]...)
	}
	command, known := map[string]string{
		"lifecycle": "lifecycle", "cors": "cors", "referer": "referer", "policy": "policy", "bucket-policy": "policy",
		"bucket-encryption": "encryption", "bucket-cname": "cname", "bucket-tagging": "tag", "object-tagging": "tag",
	}[args[0]]
	method, rest := takeMethod(args[1:])
	if !known || method == "" {
		return args
	}
	verb := method
	if method == "delete" {
		verb = "rm"
	}
	if command == "tag" {
		for i, arg := range rest {
			if !strings.HasPrefix(arg, ossScheme) && !strings.HasPrefix(arg, "-") {
				rest[i] = strings.Replace(arg, "#", "=", 1)
			}
		}
	}
	if command == "encryption" && verb == "put" && slices.ContainsFunc(rest, isFlag("--sse-algorithm")) {
		verb, rest = "set", renamed(rest, encryptionFlags)
	}
	return append([]string{command, verb}, rest...)
}

// encryptionFlags are flags of ossutil's bucket-encryption, and what encryption set
// calls them.
var encryptionFlags = [][2]string{
	{"--sse-algorithm", "--sse"}, {"--kms-masterkey-id", "--sse-key-id"}, {"--kms-data-encryption", "--sse-data-algorithm"},
}

// isFlag tells whether an argument is a flag, with or without a value.
func isFlag(name string) func(string) bool {
	return func(arg string) bool { return arg == name || strings.HasPrefix(arg, name+"=") }
}

// renamed are arguments with flags of other names.
func renamed(args []string, names [][2]string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		for _, n := range names {
			if isFlag(n[0])(arg) {
				args[i] = n[1] + arg[len(n[0]):]
			}
		}
	}
	return args
}

// takeMethod takes --method out of a command line.
func takeMethod(args []string) (method string, rest []string) {
	for i := 0; i < len(args); i++ {
		value, joined := strings.CutPrefix(args[i], "--method=")
		switch {
		case joined:
			method = strings.ToLower(value)
		case args[i] == "--method" && i+1 < len(args):
			i++
			method = strings.ToLower(args[i])
		default:
			rest = append(rest, args[i])
		}
	}
	return method, rest
}

// flagsBefore are those of the client that may stand before the command, as in
// an alias that holds the endpoint and the key; true if a value follows.
var flagsBefore = map[string]bool{
	"-e": true, "-i": true, "-k": true, "-t": true, "-c": true, "--endpoint": true, "--access-key-id": true, "--access-key-secret": true,
	"--sts-token": true, "--config-file": true, "--region": true, "--profile": true, "--sign-version": true, "--addressing": true, "--ca-file": true,
	"-q": false, "--quiet": false, "--json": false, "--anonymous": false,
}

// commandFirst puts flags of the client that stand before the command behind it.
func commandFirst(args []string) []string {
	i := 0
	for i < len(args) && strings.HasPrefix(args[i], "-") {
		name, _, joined := strings.Cut(args[i], "=")
		if !joined && len(name) > 2 && name[1] != '-' && flagsBefore[name[:2]] {
			name, joined = name[:2], true // -eURL
		}
		valued, known := flagsBefore[name]
		if !known {
			return args
		}
		i++
		if valued && !joined {
			i++
		}
	}
	if i >= len(args) {
		return args
	}
	return slices.Concat(args[i:i+1], args[:i], args[i+1:])
}
