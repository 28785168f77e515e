package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
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

// docs/serving.md lists every setting of the server, and the variable of each.
func TestServingSettings(t *testing.T) {
	page, err := os.ReadFile("../../docs/serving.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| Flag of `ossa serve` | Variable | Default | |\n|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	serveCommand().Flags().VisitAll(func(f *pflag.Flag) {
		if !strings.Contains(table, "`--"+f.Name+"`") || environment[f.Name] != "" && !strings.Contains(table, "`"+environment[f.Name]+"`") {
			t.Errorf("docs/serving.md lacks --%s or its variable", f.Name)
		}
	})
	for _, m := range quotedWord.FindAllStringSubmatch(table, -1) {
		if name, is := strings.CutPrefix(m[1], "--"); is && !strings.Contains(name, "=") && serveCommand().Flags().Lookup(name) == nil {
			t.Errorf("docs/serving.md has --%s, which is none", name)
		}
	}
}

// The README has an example and a command for each of the 22 things that the page
// about multipart uploads describes, and they are there.
func TestReadmeUsages(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| | What | Library | Command |\n|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	names := libraryNames(t)
	next := 1
	for row := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(strings.Trim(row, "|"), " | ")
		if len(cells) != 4 {
			t.Fatalf("not a row of four: %s", row)
		}
		for _, number := range strings.FieldsFunc(cells[0], func(r rune) bool { return r == ',' || r == ' ' }) {
			if number != fmt.Sprint(next) {
				t.Errorf("row %s comes where %d should", number, next)
			}
			next++
		}
		if !strings.Contains(cells[2], "`Example") {
			t.Errorf("no example: %s", row)
		}
		for _, m := range quotedWord.FindAllStringSubmatch(cells[2], -1) {
			if name := strings.TrimPrefix(m[1], "oss."); !names[name] {
				t.Errorf("package oss has no %s", name)
			}
		}
		commands := quotedWord.FindAllStringSubmatch(cells[3], -1)
		if len(commands) == 0 {
			t.Errorf("no command: %s", row)
		}
		for _, m := range commands {
			if err := understood(m[1]); err != nil {
				t.Errorf("%s: %v", m[1], err)
			}
		}
	}
	if next != 23 {
		t.Errorf("%d things have rows, not 22", next-1)
	}
}

// libraryNames are the functions, types, methods and examples of package oss.
func libraryNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob("../../oss/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				receiver := ""
				if n.Recv != nil {
					receiver = strings.TrimPrefix(types.ExprString(n.Recv.List[0].Type), "*") + "."
				}
				names[receiver+n.Name.Name] = true
				return false
			case *ast.TypeSpec:
				names[n.Name.Name] = true
			case *ast.ValueSpec:
				for _, id := range n.Names {
					names[id.Name] = true
				}
			}
			return true
		})
	}
	return names
}

// Command lines in the documents and in the examples of the help have commands
// and flags that there are.
func TestDocumentedCommands(t *testing.T) {
	seen := 0
	look := func(where, text string) {
		for line := range strings.Lines(text) {
			for _, part := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune("|#`()", r) }) {
				part = strings.TrimPrefix(strings.TrimSpace(part), "bin/")
				if !strings.HasPrefix(part, "ossa ") || strings.HasPrefix(part, "ossa ...") || strings.Contains(part, "COMMAND") {
					continue
				}
				seen++
				if err := understood(part); err != nil {
					t.Errorf("%s: %s: %v", where, part, err)
				}
			}
		}
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "docs/cli.md", "docs/copying.md", "docs/doctor.md", "docs/serving.md", "docs/admin-api.md"} {
		page, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		look(name, string(page))
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		look(c.CommandPath(), c.Example)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand())
	if seen < 200 {
		t.Errorf("only %d command lines were seen", seen)
	}
}

// understood tells why a command line, a flag of the client's or a variable in a
// document does not exist; nil if it does.
func understood(text string) error {
	args := strings.Fields(text)
	if strings.ToUpper(args[0]) == args[0] {
		return nil // a variable
	}
	command := cpCommand() // whose flags stand alone there
	if args[0] == "ossa" {
		var err error
		if _, err = unknownCommand(rootCommand(), args[1:]); err != nil {
			return err
		}
		if command, args, err = rootCommand().Find(args[1:]); err != nil {
			return err
		}
	}
	for _, arg := range args {
		name, long := strings.CutPrefix(arg, "--")
		name, _, _ = strings.Cut(name, "=")
		name = strings.TrimRight(name, ",;:.\"")
		if long && name != "" && command.Flags().Lookup(name) == nil && command.InheritedFlags().Lookup(name) == nil && name != "help" {
			return fmt.Errorf("%s has no flag %s", command.CommandPath(), arg)
		}
	}
	return nil
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
