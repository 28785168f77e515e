package main

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// unknownCommand finds out whether a command line names a command that there is
// not, and returns what it would have been below. That comes first: what is
// wrong with the flags of such a command helps nobody.
func unknownCommand(root *cobra.Command, args []string) (*cobra.Command, error) {
	if len(args) > 0 && args[0] == "help" {
		args = args[1:]
	}
	group := root
	for _, arg := range args {
		if !group.HasSubCommands() || strings.HasPrefix(arg, "-") || strings.HasPrefix(arg, "__") {
			break
		}
		i := slices.IndexFunc(group.Commands(), func(c *cobra.Command) bool { return c.Name() == arg || c.HasAlias(arg) })
		if i < 0 {
			return group, usagef("there is no command %q%s", arg, commandAdvice(group, arg))
		}
		group = group.Commands()[i]
	}
	return nil, nil
}

// commandAdvice is what to do instead of a command that there is not.
func commandAdvice(group *cobra.Command, typed string) string {
	if advice := foreignCommands[typed]; advice != "" && !group.HasParent() {
		return ": " + advice
	}
	var names []string
	for _, c := range group.Commands() {
		names = append(names, c.Name())
	}
	if strings.HasPrefix(typed, ossScheme) && len(names) > 0 {
		if !group.HasParent() {
			return `: what is to be done with it, such as ls, cp or stat, comes first`
		}
		slices.Sort(names)
		return ": what is to be done with it comes first, one of " + strings.Join(names, ", ")
	}
	for _, name := range synonyms[typed] {
		if slices.Contains(names, name) {
			return didYouMean(name)
		}
	}
	return didYouMean(nearest(typed, names))
}

// synonyms are words for what subcommands do, the likeliest first.
var synonyms = map[string][]string{
	"add": {"put", "set"}, "create": {"put", "set"}, "del": {"rm"}, "delete": {"rm"}, "get": {"show", "ls"}, "list": {"ls", "get"}, "ls": {"get"},
	"print": {"get", "show"}, "put": {"set"}, "remove": {"rm"}, "set": {"put"}, "show": {"get", "ls"}, "unset": {"rm"},
}

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return `; did you mean "` + name + `"?`
}

var unknownFlag = regexp.MustCompile(`^unknown (?:flag: --([^\s=]+)|shorthand flag: '(.)' in (-\S+))$`)

// flagError is a flag that a command does not take, with what to do instead.
func flagError(command *cobra.Command, err error) error {
	found := unknownFlag.FindStringSubmatch(err.Error())
	if found == nil {
		var parsing *strconv.NumError
		if errors.As(err, &parsing) {
			return usagef("%s", strings.ReplaceAll(err.Error(), parsing.Error(), "that is no number"))
		}
		return &usageError{err}
	}
	long, letter, short := found[1], found[2], found[3]
	if command.HasSubCommands() && command.HasParent() {
		return usagef("%w; flags stand behind one of the commands of %s", err, command.CommandPath())
	}
	if advice := foreignLetters[command.CommandPath()+" -"+letter]; advice != "" {
		return usagef("%w: %s", err, advice)
	}
	if short != "" { // -name, where two hyphens were meant
		if name := strings.TrimPrefix(short, "-"); len(name) > 2 && command.Flags().Lookup(name) != nil {
			return usagef("%w%s", err, didYouMean("--"+name))
		}
		return &usageError{err}
	}
	if advice := foreignFlags[long]; advice != "" {
		return usagef("%w: %s", err, advice)
	}
	var names []string
	command.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := nearest(long, names); near != "" {
		return usagef("%w%s", err, didYouMean("--"+near))
	}
	return &usageError{err}
}

// nearest is the name that somebody may have meant, "" for none: short ones may
// differ in one letter, longer ones in two. Hyphens do not count.
func nearest(typed string, names []string) string {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }
	allowed := 1
	if len(typed) > 5 {
		allowed = 2
	}
	if len(typed) < 3 {
		allowed = 0
	}
	best, least := "", allowed+1
	for _, name := range names {
		if d := editDistance(plain(typed), plain(name)); d < least {
			best, least = name, d
		}
	}
	if best != "" {
		return best
	}
	for _, name := range names {
		if len(typed) >= 3 && strings.HasPrefix(name, typed) {
			return name
		}
	}
	return ""
}

// editDistance is the number of letters to add, drop, change, or exchange with the
// next one, to make one text of another.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
