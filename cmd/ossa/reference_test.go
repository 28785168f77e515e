package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

//go:generate go test -run ^TestReference$ -update .

var update = flag.Bool("update", false, "write docs/commands.md")

const referencePage = "../../docs/commands.md"

// TestReference sees that docs/commands.md is what the commands say of
// themselves; -update writes it.
func TestReference(t *testing.T) {
	var want strings.Builder
	want.WriteString(`# Commands

<!-- Generated from the help of the commands by go generate; do not edit. -->

What ` + "`ossa COMMAND --help`" + ` tells, in one place. What commands have in common, and what ` + "`--json`" + ` prints, is in
[cli.md](cli.md).
`)
	shared := sharedFlags()
	fmt.Fprintf(&want, "\n## What every command that talks to an endpoint takes\n\n```\n%s```\n", shared.FlagUsages())
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Hidden || c.Name() == "help" {
			return
		}
		if c.HasParent() {
			describeCommand(&want, c, shared)
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand())

	if *update {
		if err := os.WriteFile(referencePage, []byte(want.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(referencePage)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != want.String() {
		t.Error("docs/commands.md is not what the commands say: run make docs")
	}
}

// Each command tells its exit statuses, once and at the end; each flag what its
// value is; and a flag of one name has one letter everywhere.
func TestHelpIsOfOneForm(t *testing.T) {
	letters := map[string]string{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		path := c.CommandPath()
		if n := strings.Count(c.Long, "Exit status"); !c.HasSubCommands() && c.Name() != "version" &&
			(n != 1 || !strings.HasPrefix(c.Long[strings.LastIndex(c.Long, "\n\n"):], "\n\nExit status: 0 ")) {
			t.Errorf("%s tells %d times of its exit statuses, and not at the end", path, n)
		}
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Value.Type() != "bool" && strings.Count(f.Usage, "`") != 2 {
				t.Errorf("%s --%s does not tell what its value is", path, f.Name)
			}
			if letter, known := letters[f.Name]; known && letter != f.Shorthand {
				t.Errorf("%s: --%s is -%s, and elsewhere -%s", path, f.Name, f.Shorthand, letter)
			}
			letters[f.Name] = f.Shorthand
		})
	}
	walk(rootCommand())
	if len(letters) < 50 {
		t.Errorf("only these flags were seen: %v", letters)
	}
}

// The README lists every command.
func TestReadmeCommands(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| For | Commands |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, c := range rootCommand().Commands() {
		if !c.Hidden && c.Name() != "version" && c.Name() != "help" && !strings.Contains(table, "`"+c.Name()) {
			t.Errorf("the table of commands lacks %s", c.Name())
		}
	}
	for _, m := range quotedWord.FindAllStringSubmatch(table, -1) {
		if _, err := unknownCommand(rootCommand(), strings.Fields(m[1])); err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
	}
}

func sharedFlags() *pflag.FlagSet {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.SortFlags = false
	(&clientConfig{}).addFlags(flags)
	return flags
}

// describeCommand writes the section of a command, as its help has it.
func describeCommand(w *strings.Builder, c *cobra.Command, shared *pflag.FlagSet) {
	fmt.Fprintf(w, "\n## %s\n\n```\n%s\n\n%s\n", c.CommandPath(), c.UseLine(), strings.TrimSpace(c.Long))
	if c.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	own.SortFlags = false
	talks := c.Flags().Lookup("endpoint") != nil && c.Flags().Lookup("anonymous") != nil
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && !f.Hidden && !(talks && shared.Lookup(f.Name) != nil) {
			own.AddFlag(f)
		}
	})
	if own.HasFlags() {
		fmt.Fprintf(w, "\nFlags:\n%s", own.FlagUsages())
	}
	w.WriteString("```\n")
}
