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
	return append([]string{command, verb}, rest...)
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
